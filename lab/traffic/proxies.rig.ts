import { createSocket, type RemoteInfo, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { loopbackAddress } from "./agents.rig.ts";

/** A broken firewall to order, for TCP. */
export class TcpProxy implements AsyncDisposable {
  readonly address = loopbackAddress();
  /** Connections that came in, however they ended. */
  connections = 0;
  /** Where connections lead that come in from now on. */
  targetAddress: string;
  readonly #pairs: (readonly [Socket, Socket])[] = [];
  readonly #server: Server;
  #damage: "corrupt" | "swallow" | undefined;

  private constructor(targetAddress: string, port: number) {
    this.targetAddress = targetAddress;
    this.#server = createServer((inner) => {
      const outer = connect({ host: this.targetAddress, port, noDelay: true });
      this.connections += 1;
      this.#pairs.push([inner, outer]);
      this.#join(inner, outer);
      this.#join(outer, inner);
    });
    this.#server.listen(port, this.address);
  }

  static async to(address: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(address, port);
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** Flips one bit of the next chunk in either direction. */
  corruptOnce(): void {
    this.#damage = "corrupt";
  }

  /** Takes one byte out of the next chunk. */
  swallowOnce(): void {
    this.#damage = "swallow";
  }

  stall(): void {
    for (const socket of this.#pairs.flat()) socket.pause();
  }

  go(): void {
    for (const socket of this.#pairs.flat()) socket.resume();
  }

  reset(): void {
    for (const socket of this.#pairs.flat()) socket.resetAndDestroy();
  }

  cut(): void {
    for (const socket of this.#pairs.flat()) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(from: Socket, to: Socket): void {
    from.on("data", (chunk: Buffer) => {
      if (this.#damage === "corrupt") chunk.writeUInt8(chunk.readUInt8(chunk.length - 1) ^ 4, chunk.length - 1);
      to.write(this.#damage === "swallow" ? chunk.subarray(1) : chunk);
      this.#damage = undefined;
    });
    from.on("error", () => undefined);
    from.on("end", () => to.end());
  }
}

/** A broken firewall to order, for UDP: a source port of its own for each client, as SNAT has. */
export class UdpProxy implements AsyncDisposable {
  readonly address = loopbackAddress();
  readonly #inside = createSocket("udp4");
  readonly #outside = new Map<number, Datagrams>();
  readonly #target: { readonly address: string; readonly port: number };
  #damage: "drop" | "duplicate" | "corrupt" | undefined;

  private constructor(address: string, port: number) {
    this.#target = { address, port };
    this.#inside.on("message", (bytes, from) => this.#forward(bytes, from));
    this.#inside.bind(port, this.address);
  }

  static async to(address: string, port: number): Promise<UdpProxy> {
    const proxy = new UdpProxy(address, port);
    await once(proxy.#inside, "listening");
    return proxy;
  }

  /** Does this to the next request. */
  once(damage: "drop" | "duplicate" | "corrupt"): void {
    this.#damage = damage;
  }

  /** Whether what was ordered has been done. */
  get damageDone(): boolean {
    return this.#damage === undefined;
  }

  /** Forgets its NAT state: the next packets of every flow get another source port. */
  forget(): void {
    for (const socket of this.#outside.values()) socket.close();
    this.#outside.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.forget();
    this.#inside.close();
    await once(this.#inside, "close");
  }

  #forward(bytes: Buffer, from: RemoteInfo): void {
    const damage = this.#damage;
    this.#damage = undefined;
    if (damage === "drop") return;
    if (damage === "corrupt") bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    const outside = this.#outside.get(from.port) ?? this.#translation(from);
    for (let copies = damage === "duplicate" ? 2 : 1; copies > 0; copies -= 1) outside.send(bytes, this.#target.port, this.#target.address);
  }

  #translation(from: RemoteInfo): Datagrams {
    const outside = createSocket("udp4");
    outside.on("message", (answer) => this.#inside.send(answer, from.port, from.address));
    outside.on("error", () => undefined);
    this.#outside.set(from.port, outside);
    return outside;
  }
}
