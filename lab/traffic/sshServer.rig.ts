import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { Client, Server, utils, type Connection } from "ssh2";
import { loopbackAddress } from "./agents.rig.ts";

const hostKey = utils.generateKeyPairSync("ed25519");
const userKey = utils.generateKeyPairSync("ed25519");

/** Port of the stand-in for sshd: above 1023, so that it needs no root. */
export const sshPort = 7_022;

/** ssh2's own server in place of sshd: runs programs under a real pty (by script(1)), and forwards TCP connections. */
export class SshStandIn implements AsyncDisposable {
  readonly address = loopbackAddress();
  readonly hostKeyLine = hostKey.public;
  readonly privateKey = userKey.private;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  private constructor() {
    this.#server = new Server({ hostKeys: [hostKey.private] }, (connection) => this.#serve(connection));
    this.#server.listen(sshPort, this.address);
  }

  static async start(): Promise<SshStandIn> {
    const standIn = new SshStandIn();
    await once(standIn.#server, "listening");
    return standIn;
  }

  /** Logs in, as the lab's control does. */
  async login(): Promise<Client> {
    const client = new Client();
    client.connect({ host: this.address, port: sshPort, username: "root", privateKey: this.privateKey });
    await once(client, "ready");
    client.on("error", () => undefined);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.end();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(connection: Connection): void {
    this.#connections.add(connection);
    connection.on("close", () => this.#connections.delete(connection));
    connection.on("error", () => undefined);
    connection.on("authentication", (context) => context.accept());
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      const socket = connect({ host: destIP, port: destPort, noDelay: true });
      socket.once("connect", () => {
        const channel = accept();
        socket.pipe(channel).pipe(socket);
        channel.on("error", () => undefined);
        socket.on("close", () => channel.end());
      });
      socket.on("error", () => reject());
    });
    connection.on("session", (accept) => {
      const session = accept();
      session.on("pty", (acceptPty) => acceptPty());
      session.on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const environment = { ...process.env, SHELL: "/bin/sh", SSH_CONNECTION: `192.168.1.100 40001 ${this.address} ${sshPort}` };
        const child = spawn("script", ["-qefc", command, "/dev/null"], { env: environment, stdio: "pipe" });
        child.stdout.pipe(channel, { end: false });
        channel.pipe(child.stdin);
        channel.on("close", () => child.kill("SIGHUP"));
        child.stdin.on("error", () => undefined);
        child.on("exit", () => {
          channel.exit(0);
          channel.end();
        });
      });
    });
  }
}
