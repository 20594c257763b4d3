import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Server, utils, type Connection } from "ssh2";
import { loopbackAddress } from "./agents.rig.ts";

const hostKey = utils.generateKeyPairSync("ecdsa", { bits: 256 });
const userKey = utils.generateKeyPairSync("ecdsa", { bits: 256 });

/** Port of the stand-in for sshd: above 1023, so that it needs no root. */
export const sshPort = 7_022;

/** ssh2's own server in place of sshd: lets one key in and runs programs under a real pty (by script(1)). */
export class SshStandIn implements AsyncDisposable {
  readonly address: string;
  readonly identity = { username: "root", privateKey: userKey.private, hostKey: hostKey.public };
  /** Connections that came in, however they ended. */
  connections = 0;
  /** What becomes of a program before it is run. */
  tamper = (program: string): string => program;
  readonly #server: Server;
  readonly #live = new Set<Connection>();
  readonly #programs = new Set<ChildProcess>();

  private constructor(address: string) {
    this.address = address;
    this.#server = new Server({ hostKeys: [hostKey.private] }, (connection) => this.#serve(connection));
    this.#server.listen(sshPort, address);
  }

  static async start(address = loopbackAddress()): Promise<SshStandIn> {
    const standIn = new SshStandIn(address);
    await once(standIn.#server, "listening");
    return standIn;
  }

  /** Ends all programs; the connections stay. */
  endPrograms(): void {
    for (const program of this.#programs) program.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endPrograms();
    for (const connection of this.#live) connection.end();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(connection: Connection): void {
    this.connections += 1;
    this.#live.add(connection);
    connection.on("close", () => this.#live.delete(connection));
    connection.on("error", () => undefined);
    connection.on("authentication", (context) => {
      if (context.method === "publickey" && `${context.key.algo} ${context.key.data.toString("base64")}` === userKey.public) context.accept();
      else context.reject(["publickey"]);
    });
    connection.on("session", (accept) => {
      const session = accept();
      session.on("pty", (acceptPty) => acceptPty());
      session.on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const environment = { ...process.env, SHELL: "/bin/sh", SSH_CONNECTION: `192.168.1.100 40001 192.168.1.3 22` };
        const program = spawn("script", ["-qefc", this.tamper(command), "/dev/null"], { env: environment, stdio: "pipe" });
        this.#programs.add(program);
        program.stdout.pipe(channel, { end: false });
        channel.pipe(program.stdin);
        channel.on("close", () => program.kill("SIGHUP"));
        program.stdin.on("error", () => undefined);
        program.on("exit", () => {
          this.#programs.delete(program);
          channel.exit(0);
          channel.end();
        });
      });
    });
  }
}
