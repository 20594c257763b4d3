import { BadRequest, fieldsOf, stringField, type Fields } from "./fields.ts";

/** Who logs in to the server's own sshd, and which key it must show. As the host hands it over. */
export interface SshIdentity {
  readonly username: string;
  /** Private key, PEM or OpenSSH. */
  readonly privateKey: string;
  /** Public host key of the server as a line: type, base64, comment. */
  readonly hostKey: string;
}

export type HostKeyAlgorithms = ("ssh-ed25519" | "ecdsa-sha2-nistp256" | "rsa-sha2-512" | "rsa-sha2-256")[];

/** The one key that a server may show, and how it may prove to have it. */
export interface HostKey {
  readonly algorithms: HostKeyAlgorithms;
  readonly bytes: Buffer;
}

/** An identity that was looked at. */
export interface SshLogin {
  readonly username: string;
  readonly privateKey: string;
  readonly hostKey: HostKey;
}

/** A server has several host keys; only the one of the expected type can be compared. */
const algorithmsOf: ReadonlyMap<string, HostKeyAlgorithms> = new Map([
  ["ssh-ed25519", ["ssh-ed25519"]],
  ["ecdsa-sha2-nistp256", ["ecdsa-sha2-nistp256"]],
  ["ssh-rsa", ["rsa-sha2-512", "rsa-sha2-256"]],
]);

/** The identity in a request's field. @throws BadRequest when one of its parts is missing, or the host key is no public key line. */
export function sshLoginField(fields: Fields, name: string): SshLogin {
  const identity = fieldsOf(fields[name]);
  return {
    username: stringField(identity, "username"),
    privateKey: stringField(identity, "privateKey"),
    hostKey: hostKeyOf(stringField(identity, "hostKey")),
  };
}

function hostKeyOf(line: string): HostKey {
  const [type = "", base64 = ""] = line.trim().split(/\s+/u);
  const algorithms = algorithmsOf.get(type);
  if (algorithms === undefined || base64 === "") {
    throw new BadRequest(`hostKey must be a line with a public key of type ${[...algorithmsOf.keys()].join(", ")}, not ${JSON.stringify(line.slice(0, 80))}`);
  }
  return { algorithms, bytes: Buffer.from(base64, "base64") };
}
