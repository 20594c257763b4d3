import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/**
 * Bytes that the kernel may keep for a socket until this process gets to them. The usual 208 KiB are full of small datagrams within two seconds, and an
 * emulated endpoint that is busy with SSH handshakes is away for longer: what it drops then would be counted as lost by the firewalls. The kernel gives
 * as much as net.core.rmem_max allows. Source: socket(7), SO_RCVBUF.
 */
export const receiveBufferBytes = 8 * 1024 * 1024;

/** A socket for datagrams to or from an address, which keeps what this process does not get to yet. */
export function udpSocket(address: string): Socket {
  return createSocket({ type: isIPv6(address) ? "udp6" : "udp4", recvBufferSize: receiveBufferBytes });
}
