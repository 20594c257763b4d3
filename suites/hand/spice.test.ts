import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { graphicalConsoleAt } from "../../lab/hand/place.ts";
import { everyNight } from "../everyNight.ts";
import { repository } from "../lifecycle/command.ts";
import { coloursOf, pixmapPicture, shareOf, type Picture } from "./picture.ts";
import { noScreen, startScreen, type Screen } from "./screen.ts";
import { processesOf, standing } from "./standing.ts";

const why = await noScreen();
/** As fixtures/desktop's window manager has it. */
const background = 0x1f3a5f;
/** SPICE_CHANNEL_ERROR_AUTH of spice-gtk's SpiceChannelEvent. */
const authenticationFailed = 23;
const patient = { timeout: 60_000, interval: 500 };

const whereSeen = why === undefined ? everyNight : describe.skip;

whereSeen(`a graphical console${why === undefined ? "" : ` (${why})`}`, () => {
  let screen: Screen;
  beforeAll(async () => {
    screen = await startScreen();
  });
  afterAll(() => screen[Symbol.asyncDispose]());
  const { place, fwlab, statusNow } = standing(0, ["--spice", "fw-1"]);
  const { socket, ticketFile } = graphicalConsoleAt(place, "fw-1");
  const onDesktop = (command: string) => fwlab(["ssh", "fw-1", "--", `export DISPLAY=:0; ${command}`]);

  /** What a client of another kind gets with a ticket: its words, and a picture where it was let in. */
  const tryTicket = async (ticket: string): Promise<{ readonly exitCode: number | undefined; readonly said: string; readonly picture?: Picture }> => {
    const file = join(screen.environment["HOME"] ?? "", "console.ppm");
    const { exitCode, all } = await execa("spicy-screenshot", ["--uri", `spice+unix://${socket}`, "--password", ticket, "--out-file", file], { env: screen.environment, all: true, reject: false, timeout: 60_000 });
    return { exitCode, said: all, ...(exitCode === 0 && { picture: await pixmapPicture(file) }) };
  };

  test("status names it, and its pair does its duty with it", async () => {
    const { graphical, machines } = await statusNow();
    expect(graphical).toEqual(["fw-1"]);
    expect(machines.map((machine) => `${machine.name} ${machine.state}`)).toEqual(["client up", "fw-1 up", "fw-2 up", "omarine up"]);
    expect((await fwlab(["ssh", "client", "--", "ping -c 1 -W 2 192.168.0.100"])).exitCode).toBe(0);
  });

  test("socket and ticket are for the user alone; the ticket stands in no log, console or command line; and no port is open", async () => {
    for (const file of [place.folder, socket, ticketFile]) expect({ file, others: (await stat(file)).mode & 0o077 }).toEqual({ file, others: 0 });
    const ticket = await readFile(ticketFile, "utf8");
    expect(ticket).toMatch(/^[\w-]{32}$/u);
    const processes = await processesOf(place);
    for (const { commandLine } of processes) expect(commandLine).not.toContain(ticket);
    expect(processes.some(({ commandLine }) => commandLine.includes(ticketFile))).toBe(true);
    const consoles = (await readdir(join(place.folder, "consoles"))).map((name) => join(place.folder, "consoles", name));
    for (const file of [place.log, ...consoles]) expect(await readFile(file, "utf8"), file).not.toContain(ticket);
    const { stdout } = await execa("nsenter", ["--net", "--target", String(processes[0]?.pid), "--", "ss", "-H", "--listening", "--tcp", "--udp", "--numeric"], { env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` } });
    expect(stdout).toBe("");
  });

  test("a wrong ticket is refused, and with the right one a client gets a picture", async () => {
    const refused = await tryTicket("this-is-not-the-ticket");
    expect(refused.exitCode).toBe(1);
    expect(refused.said).toContain(`main channel event: ${authenticationFailed}`);
    // The desktop is there a little later than the machine.
    const deadlineMs = Date.now() + 150_000;
    for (;;) {
      const { exitCode, said, picture } = await tryTicket(await readFile(ticketFile, "utf8"));
      expect(exitCode, said).toBe(0);
      if (picture !== undefined && shareOf(picture, background) > 0.2) {
        expect(coloursOf(picture)).toBeGreaterThan(16);
        return;
      }
      if (Date.now() > deadlineMs) expect(picture && shareOf(picture, background)).toBeGreaterThan(0.2);
      await delay(1_000);
    }
  });

  describe("in remote-viewer", () => {
    let viewer: ReturnType<typeof startViewer> | undefined;
    const startViewer = () =>
      execa("node", ["scripts/bootstrap.mjs", "viewer", "fw-1", "--lab", place.name], { cwd: repository, env: { ...screen.environment, FWLAB_CACHE: cacheFolder(), SPICE_DEBUG: "1", G_MESSAGES_DEBUG: "GSpice" }, stdin: "ignore", all: true, reject: false });
    let said: string | undefined;
    const endViewer = async (): Promise<string> => {
      viewer?.kill("SIGINT");
      said ??= (await viewer)?.all ?? "";
      return said;
    };
    afterAll(endViewer);

    test("what the machine shows is seen, as soon as it shows it, and its ticket's file is gone", async () => {
      expect(coloursOf(await screen.picture())).toBe(1);
      viewer = startViewer();
      const process = viewer;
      const shown = async (): Promise<number> => {
        if (process.exitCode !== null) throw new Error(`the viewer ended: ${(await process).all}`);
        return shareOf(await screen.picture(), background);
      };
      await expect.poll(shown, { ...patient, timeout: 100_000 }).toBeGreaterThan(0.1);
      expect(coloursOf(await screen.picture())).toBeGreaterThan(16);
      const colour = 0xc0ffee;
      expect(shareOf(await screen.picture(), colour)).toBe(0);
      await onDesktop("xterm -bg '#c0ffee' -geometry 60x15+100+150 -e sleep 30 >/dev/null 2>&1 &");
      await expect.poll(async () => shareOf(await screen.picture(), colour), patient).toBeGreaterThan(0.02);
      expect((await readdir(place.folder)).filter((name) => name.endsWith(".vv"))).toEqual([]);
    });

    test("text that is copied on the host is pasted in the machine, and the other way round", async () => {
      const inMachine = async () => (await onDesktop("xclip -selection clipboard -target UTF8_STRING -out")).stdout;
      expect(await inMachine()).not.toContain("host");
      await screen.copy("from the host: 1 ≠ 2");
      await expect.poll(inMachine, patient).toBe("from the host: 1 ≠ 2");
      await onDesktop("printf 'from the machine: 3 ≠ 4' | xclip -selection clipboard -in >/dev/null 2>&1");
      await expect.poll(() => screen.pasted(), patient).toBe("from the machine: 3 ≠ 4");
    });

    test("without the machine's agent nothing is pasted", async () => {
      await onDesktop("systemctl stop fwlab-vdagent");
      await screen.copy("unheard");
      await delay(3_000);
      expect((await onDesktop("xclip -selection clipboard -target UTF8_STRING -out")).stdout).not.toContain("unheard");
      await onDesktop("systemctl start fwlab-vdagent");
    });

    test("it has had two channels for USB, and has not told the ticket", async () => {
      const words = await endViewer();
      expect(new Set(Array.from(words.matchAll(/usbredir-9:(\d)/gu), ([, channel]) => channel))).toEqual(new Set(["0", "1"]));
      expect(words).not.toContain(await readFile(ticketFile, "utf8"));
    });
  });

  test.each<readonly [words: readonly string[], line: RegExp]>([
    [["viewer", "fw-2"], /graphical console of fw-2: it has none; fw-1 has one/u],
    [["viewer", "fw-3"], /no machine fw-3; it has client, fw-1, fw-2, omarine/u],
    [["up", "--spice", "fw-3"], /no machine fw-3; it has client, fw-1, fw-2, omarine/u],
  ])("%j is refused in one line", async (words, line) => {
    const { exitCode, stderr } = await fwlab(words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(line) as string });
    expect(stderr.split("\n")).toHaveLength(1);
  });

  test("where there is no display, a viewer says from where one is reached", async () => {
    const { exitCode, stderr } = await execa("node", ["scripts/bootstrap.mjs", "viewer", "fw-1", "--lab", place.name], { cwd: repository, reject: false, stdin: "ignore", env: { DISPLAY: "", WAYLAND_DISPLAY: "" } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(/no display here.*ssh -L/u) as string });
  });
});
