import { createInterface } from "node:readline";
import type { LoadRecord } from "../evidence/load.ts";
import { LoadClient } from "./client.ts";
import { loadOrderSchema } from "./order.ts";

/**
 * Reads a line with a LoadOrder from standard input, and carries it out until the next line, or the input's end; then prints a LoadRecord. Says when all held
 * connections are open.
 */
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first: IteratorResult<string, undefined> = await lines.next();
const order = loadOrderSchema.parse(JSON.parse(first.value ?? "null"));

const record: LoadRecord = { requests: { client: [], atMs: [], tookMs: [], outcome: [] }, lost: [], held: 0 };
const { requests } = record;
const clients = order.clients.map(
  (_, client) =>
    new LoadClient(order, client, {
      request: (atMs, tookMs, outcome) => {
        requests.client.push(client);
        requests.atMs.push(atMs);
        requests.tookMs.push(Math.round(tookMs * 10) / 10);
        requests.outcome.push(outcome);
      },
      lost: (atMs, why) => record.lost.push({ client, atMs, why }),
    }),
);

let over = false;
const underWay = new Set<Promise<void>>();
/** All begin at this rate at least, whatever their pause: nobody waits for a pause's length until the last connection is open. */
const beginPerSecond = 200;
const beginningMs = Math.min(order.pauseMs, (clients.length * 1_000) / beginPerSecond);
const beganMs = performance.now();
/** Once all have begun, each client asks at its own moment of the pause, so that they are spread over it. */
const timers = clients.map((client, index) => {
  const share = index / clients.length;
  const ask = (thenIn: () => number): void => {
    if (over) return;
    const asked = client.ask().finally(() => underWay.delete(asked));
    underWay.add(asked);
    // A client asks again when its pause is over and it has its answer.
    void asked.then(() => {
      if (!over) timers[index] = setTimeout(ask, thenIn(), () => order.pauseMs);
    });
  };
  const untilOwnMoment = () => Math.max(0, beganMs + beginningMs + share * order.pauseMs - performance.now());
  return setTimeout(ask, Math.floor(share * beginningMs), untilOwnMoment);
});
const watch = setInterval(() => {
  if (clients.filter(({ isOpen }) => isOpen).length < order.held) return;
  clearInterval(watch);
  console.log(JSON.stringify({ open: order.held }));
}, 50);

await lines.next();
over = true;
clearInterval(watch);
for (const timer of timers) clearTimeout(timer);
await Promise.allSettled([...underWay]);
record.held = clients.filter(({ isOpen }) => isOpen).length;
await Promise.all(clients.map((client) => client.end()));
process.stdout.write(`${JSON.stringify(record)}\n`, () => process.exit());
