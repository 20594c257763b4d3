#!/usr/bin/env node
/**
 * From a fresh clone to the command line: Node is new enough, npm's packages and the host's programs are there (what is missing is
 * installed, each step announced in one line with its time), then scripts/fwlab.ts. Only Node's own modules, and only what Node 16 can
 * read, so that an old Node is told so instead of failing on syntax.
 * usage: bootstrap.mjs VERB ARGUMENT...
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const usage = 2;
const self = fileURLToPath(import.meta.url);
const root = join(dirname(self), "..");
/** Verbs that need no lab: the host need not have what a lab needs. */
const withoutLab = [
  ...["judge", "report", "history", "compare", "cache", "schema", "doctor", "completion"],
  // These ask a lab that stands already.
  ...["down", "status", "watch", "ssh", "viewer", "console", "logs", "conntrack", "capture", "fault", "heal", "snapshot", "restore", "graph"],
];
const tied = ["--pdeathsig", "KILL"];

// npm says so itself.
process.env.INIT_CWD = process.env.INIT_CWD || process.cwd();
process.chdir(root);
refuseOldNode();
endWithNpm();
if (process.argv[2] === "npm-packages") {
  installPackages();
} else {
  ensurePackages();
  ensureLinks();
  // In a container they are the container's.
  const inContainer = process.argv.some((word, index) => word === "--host=container" || (word === "container" && process.argv[index - 1] === "--host"));
  if (!inContainer && !withoutLab.includes(process.argv[2])) {
    ensurePrograms();
  }
  if (!inContainer && process.argv[2] === "test") {
    ensureTestPrograms();
  }
  run(process.argv.slice(2));
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: fwlab needs Node 20.19 or newer. Install it (https://nodejs.org) and try again.`);
  }
}

/**
 * setpriv ends this process when its parent dies, but not when the parent died before setpriv came that far: then the parent is init by
 * now, which is neither npm nor a shell.
 */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined || process.ppid > 1) {
    return;
  }
  if (!/npm|node|sh|yarn|bun/.test(readFileSync("/proc/1/comm", "utf8"))) {
    process.exit(usage);
  }
}

/** npm's packages are those of package-lock.json: by the stamp that we leave, else by npm's own record of what it installed. */
function packagesCurrent() {
  // A package that npm installed has no lock file: npm has installed what it needs beside it.
  if (!existsSync("package-lock.json")) {
    return true;
  }
  const lock = readFileSync("package-lock.json");
  const stamp = createHash("sha256").update(lock).digest("hex");
  const stampFile = join("node_modules", ".fwlab-lock-sha256");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
    return true;
  }
  const record = join("node_modules", ".package-lock.json");
  if (!existsSync(record) || !sameInstallation(JSON.parse(String(lock)).packages, JSON.parse(readFileSync(record, "utf8")).packages)) {
    return false;
  }
  writeFileSync(stampFile, stamp);
  return true;
}

/** npm leaves out of its record what is optional and made for another platform. */
function sameInstallation(wanted, installed) {
  const names = Object.keys(wanted).filter((name) => name !== "");
  return (
    names.every((name) => (installed[name] === undefined ? wanted[name].optional === true : installed[name].version === wanted[name].version)) &&
    Object.keys(installed).every((name) => wanted[name] !== undefined)
  );
}

function ensurePackages() {
  if (packagesCurrent()) {
    return;
  }
  // Two commands at once: the second waits, looks again, and finds them installed.
  const result = spawnSync("setpriv", [...tied, "flock", "--no-fork", "package-lock.json", process.execPath, self, "npm-packages"], { stdio: "inherit" });
  if (result.error !== undefined) {
    fail(`setpriv cannot be started (${result.error.message}): fwlab runs on Linux with util-linux.`);
  }
  if (result.status !== 0) {
    process.exit(usage);
  }
}

function installPackages() {
  if (packagesCurrent()) {
    return;
  }
  step("npm packages: npm ci", () => {
    const npm = process.env.npm_execpath === undefined ? ["npm"] : [process.execPath, process.env.npm_execpath];
    return spawnSync("setpriv", [...tied, ...npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  });
  if (!packagesCurrent()) {
    fail("npm ci ended well, but node_modules is not what package-lock.json asks for. Remove node_modules and try again.");
  }
}

/** npm leaves links out of a package; its list of them is in it (packLinks.mjs). In a checkout they are there. */
function ensureLinks() {
  const list = join("fixtures", "links.json");
  if (!existsSync(list)) {
    return;
  }
  Object.entries(JSON.parse(readFileSync(list, "utf8"))).forEach(([path, target]) => {
    const link = join("fixtures", path);
    try {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(target, link);
    } catch (error) {
      if (error.code !== "EEXIST") {
        fail(`the link ${link} cannot be made (${error.message}): install fwlab as a user who may write there.`);
      }
    }
  });
}

function hostPrograms() {
  return JSON.parse(readFileSync(join("lab", "host", "programs.json"), "utf8"));
}

/** Debian packages of the host's programs that are missing. */
function missingPackages() {
  const { everyone, ordinaryUser, files } = hostPrograms();
  const programs = Object.entries(Object.assign({}, everyone, process.getuid() === 0 ? {} : ordinaryUser));
  const missing = [...programs.filter(([name]) => !found(name)), ...Object.entries(files).filter(([name]) => !existsSync(name))];
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))].sort();
}

function found(program) {
  const folders = [...(process.env.PATH || "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function ensurePrograms() {
  const packages = missingPackages();
  if (packages.length === 0) {
    return;
  }
  const install = installCommand(packages);
  if (!found("apt-get")) {
    fail(`this host lacks programs that Debian's packages ${packages.join(", ")} hold, and has no apt-get: install them by its own means.`);
  }
  if (!mayInstall()) {
    fail(`this host lacks programs, and this user may not install them. Run: sudo ${install.join(" ")}`);
  }
  step("host programs: apt-get update", () => apt(["apt-get", "update"]));
  step(`host programs: ${install.join(" ")}`, () => apt(install));
}

/**
 * What some tests need and no lab does: a browser, viewers of graphical consoles. Any of a package's programs will do. Where there is none and none can be installed, that is
 * said, and the tests run: those that need it are skipped and say why, but for CI, where they fail.
 */
function ensureTestPrograms() {
  const { tests, screens } = hostPrograms();
  // A night looks at graphical consoles, and who names that suite.
  const looksAtScreens = process.argv.slice(3).some((word) => word === "--thorough" || (!word.startsWith("-") && "suites/hand/spice.test.ts".includes(word)));
  const wanted = Object.entries(Object.assign({}, tests, looksAtScreens ? screens : {}));
  const packages = wanted.filter(([, programs]) => !programs.some(found)).map(([debianPackage]) => debianPackage);
  if (packages.length === 0) {
    return;
  }
  const install = installCommand(packages);
  if (!found("apt-get") || !mayInstall()) {
    process.stdout.write(`tests: ${packages.join(", ")} is missing and cannot be installed from here; tests that need it are skipped. Run: sudo ${install.join(" ")}\n`);
    return;
  }
  const failed = attempt("test programs: apt-get update", () => apt(["apt-get", "update"])) || attempt(`test programs: ${install.join(" ")}`, () => apt(install));
  if (failed !== undefined) {
    process.stdout.write(`${failed}\ntests that need it are skipped\n`);
  }
}

function installCommand(packages) {
  return ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
}

function mayInstall() {
  return process.getuid() === 0 || spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
}

/** Not tied to this process: a dpkg that is killed half-way leaves the host with broken packages. */
function apt(args) {
  const asRoot = [...(process.getuid() === 0 ? [] : ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive"];
  return spawnSync(asRoot[0], [...asRoot.slice(1), ...args, "-o", "DPkg::Lock::Timeout=300"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs a set-up step; ends with the step's last lines when it fails. */
function step(what, action) {
  const failed = attempt(what, action);
  if (failed !== undefined) {
    fail(failed);
  }
}

/** Runs a set-up step, says in one line what it was and how long it took. Gives what it said at last when it failed. */
function attempt(what, action) {
  const began = Date.now();
  process.stdout.write(`${what} …${process.stdout.isTTY ? "" : "\n"}`);
  const result = action();
  const took = `${((Date.now() - began) / 1000).toFixed(1)} s`;
  if (result.status === 0) {
    process.stdout.write(process.stdout.isTTY ? ` ${took}\n` : `${what}: ${took}\n`);
    return undefined;
  }
  process.stdout.write(process.stdout.isTTY ? "\n" : "");
  const lines = `${result.stdout || ""}${result.stderr || ""}`.trim().split("\n").slice(-15);
  const end = result.error === undefined ? `ended with ${result.signal === null ? `exit code ${result.status}` : result.signal}` : result.error.message;
  return `${what}: ${end} after ${took}. Its last lines:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function run(args) {
  const child = spawn("setpriv", [...tied, process.execPath, "--import", "tsx", join("scripts", "fwlab.ts"), ...args], {
    stdio: "inherit",
    env: Object.assign({}, process.env, { FWLAB_PARENT: String(process.pid) }),
  });
  // Signals sent to this process alone (kill PID, npm) are handed on; in a terminal the child gets Ctrl-C itself too, and stops once.
  ["SIGINT", "SIGTERM", "SIGHUP"].forEach((name) => process.on(name, () => child.kill(name)));
  child.on("error", (error) => fail(`fwlab cannot be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    // A command that was killed could not judge.
    process.exit(signal === null ? code : 3);
  });
}

function fail(line) {
  process.stderr.write(`fwlab: ${line}\n`);
  process.exit(usage);
}
