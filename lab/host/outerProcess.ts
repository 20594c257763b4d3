import { stopSignals, type InnerWord, type StopSignal } from "./namespaces.ts";

export interface OuterProcessHandlers {
  /** Somebody wants this process to stop. Called once for each signal. */
  readonly onStop: (signal: StopSignal) => void;
  /** The outer process is gone, or has given this one up: nobody waits for what it does. */
  readonly onGone: () => void;
}

/**
 * The inner side of `enterNamespaces`: hears the signals that its outer process got, those that are sent to this process itself, and the
 * end of the outer process. Does not keep this process alive. Call it once, early.
 */
export function followOuterProcess({ onStop, onGone }: OuterProcessHandlers): void {
  stopSignals.forEach((name) => process.on(name, () => onStop(name)));
  process.on("message", (message) => {
    const name = stopSignals.find((candidate) => isStop(message, candidate));
    if (name !== undefined) {
      onStop(name);
    }
  });
  process.on("disconnect", onGone);
  say({ fwlabInner: true });
  process.on("exit", (exitCode) => say({ fwlabInner: true, exitCode }));
  // Listening keeps the process alive, and the channel may have closed before anybody listened.
  process.channel?.unref();
  if (!process.connected) {
    onGone();
  }
}

function say(word: InnerWord): void {
  // When the channel is closed, nobody listens who could miss it.
  process.send?.(word, undefined, undefined, () => undefined);
}

function isStop(message: unknown, name: StopSignal): boolean {
  return typeof message === "object" && message !== null && "fwlabStop" in message && message.fwlabStop === name;
}
