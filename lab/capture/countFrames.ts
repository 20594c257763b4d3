import { frameOf, interfaceNameOf } from "./capturedFrame.ts";
import { readBlocks } from "./pcapngBlocks.ts";

/** How many frames of each interface a capture holds. @throws as readBlocks. */
export async function countFrames(file: string, signal: AbortSignal): Promise<Map<string, number>> {
  const frames = new Map<string, number>();
  let interfaces: string[] = [];
  for await (const blocks of readBlocks(file, signal)) {
    for (const block of blocks) {
      if (block.kind === "section") interfaces = [];
      else if (block.kind === "interface") interfaces.push(interfaceNameOf(block) ?? "");
      else {
        const name = interfaces[frameOf(block)?.interface ?? -1] ?? "";
        frames.set(name, (frames.get(name) ?? 0) + 1);
      }
    }
  }
  return frames;
}
