import type { Duplex } from "node:stream";
import { Client } from "ssh2";
import type { Endpoint } from "../evidence/ledger.ts";
import { Failure } from "../failure/failure.ts";

/** Who logs in to the server's own sshd, and which key it must show. */
export interface SshIdentity {
  readonly username: string;
  /** Private key, PEM or OpenSSH. */
  readonly privateKey: string | Buffer;
  /** Public host key of the server as a line: type, base64, comment. */
  readonly hostKey: string;
}

export interface SessionThroughOptions {
  /** Where the tunnel leads, for messages. */
  readonly target: Endpoint;
  readonly identity: SshIdentity;
  readonly signal: AbortSignal;
}

/** An SSH session to `target` over a tunnel of `forwardedStream`. @throws Failure on a wrong host key; ssh2's error otherwise. The tunnel is closed then. */
export async function sessionThrough(tunnel: Duplex, { target, identity, signal }: SessionThroughOptions): Promise<Client> {
  const expected = parseHostKey(identity.hostKey);
  const session = new Client();
  let shown: Buffer | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      session.once("ready", resolve);
      session.once("error", reject);
      session.once("close", () => reject(new Error("the SSH connection ended before it was ready")));
      session.connect({
        sock: tunnel,
        username: identity.username,
        privateKey: identity.privateKey,
        algorithms: { serverHostKey: expected.algorithms },
        hostVerifier: (key: Buffer) => {
          shown = key;
          return key.equals(expected.key);
        },
        // The flow has to outlive a long stall: nothing here may give it up.
        readyTimeout: 0,
        keepaliveInterval: 0,
      });
    });
    return session;
  } catch (error) {
    session.destroy();
    tunnel.destroy();
    if (shown?.equals(expected.key) !== false) throw error;
    throw new Failure({
      tried: `open an SSH session to ${target.address}:${target.port}`,
      seen: "it shows another host key than the one made for it",
      remedy: "Something else answers at that address, or the image is not this cache's",
      exit: 3,
      cause: error,
    });
  }
}

type HostKeyAlgorithms = ("ssh-ed25519" | "ecdsa-sha2-nistp256" | "rsa-sha2-512" | "rsa-sha2-256")[];

const algorithmsOf: ReadonlyMap<string, HostKeyAlgorithms> = new Map([
  ["ssh-ed25519", ["ssh-ed25519"]],
  ["ecdsa-sha2-nistp256", ["ecdsa-sha2-nistp256"]],
  ["ssh-rsa", ["rsa-sha2-512", "rsa-sha2-256"]],
]);

function parseHostKey(line: string): { key: Buffer; algorithms: HostKeyAlgorithms } {
  const [type = "", base64 = ""] = line.trim().split(/\s+/u);
  // A server has several host keys; only the one of the expected type can be compared.
  const algorithms = algorithmsOf.get(type);
  if (algorithms === undefined || base64 === "") {
    throw new Failure({ tried: "read the server's host key", seen: `no public key line: ${line.slice(0, 80)}`, remedy: "Give an ssh-ed25519, ecdsa or rsa line", exit: 2 });
  }
  return { key: Buffer.from(base64, "base64"), algorithms };
}

/** A TCP connection to an address that the machine at the other end of an SSH connection makes. @throws ssh2's error when it cannot. */
export function forwardedStream(connection: Client, { address, port }: Endpoint, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    connection.forwardOut("127.0.0.1", 0, address, port, (error, stream) => {
      if (error === undefined) resolve(stream);
      else reject(error);
    });
  });
}
