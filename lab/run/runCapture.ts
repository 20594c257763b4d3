import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGzip } from "node:zlib";
import { startCapture, type RunningCapture } from "../capture/capture.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { labFolder } from "../host/labFolder.ts";
import type { Keeper } from "../report/keeper.ts";
import type { Topology } from "../topology/topology.ts";

/** Whether a run is captured. */
export const captureChoices = ["on", "off"] as const;
export type CaptureChoice = (typeof captureChoices)[number];

/** Environment variable by which suites are told that no run is to be captured: `off`. */
export const suitesCapture = "FWLAB_PCAP";

/** File of a bundle that holds its run's capture. */
export const capturePath = "captures/lab.pcapng.gz";

export interface RunCaptureOptions {
  readonly topology: Topology;
  readonly keeper: Keeper;
  readonly signal: AbortSignal;
}

/** The capture of one run: running, then kept in the run's bundle; or off. Disposal ends it. */
export class RunCapture implements AsyncDisposable {
  readonly #running: RunningCapture | undefined;
  readonly #keeper: Keeper;
  #record: Evidence["capture"];
  #kept: Promise<void> | undefined;

  private constructor(running: RunningCapture | undefined, keeper: Keeper) {
    this.#running = running;
    this.#keeper = keeper;
    if (running === undefined) this.#record = "off";
  }

  /** Starts to capture a lab whose bridges and taps are there, if it is to be captured. @throws as startCapture. */
  static async start(choice: CaptureChoice, { topology, keeper, signal }: RunCaptureOptions): Promise<RunCapture> {
    return new RunCapture(choice === "off" ? undefined : await startCapture({ topology, folder: labFolder(), signal }), keeper);
  }

  /** What the evidence says of it; undefined while it runs. */
  get record(): Evidence["capture"] {
    return this.#record;
  }

  /** Stops the capture and puts it into the bundle. Idempotent. @throws Failure when it cannot be kept. */
  keep(): Promise<void> {
    this.#kept ??= this.#keep();
    return this.#kept;
  }

  async #keep(): Promise<void> {
    if (this.#running === undefined) return;
    const capture = await this.#running.stop();
    // An error of either stream ends the other, and is thrown where the packed one is read.
    await this.#keeper.save(capturePath, pipeline(createReadStream(this.#running.file), createGzip(), () => undefined));
    this.#record = { ...capture, file: capturePath };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
  }
}
