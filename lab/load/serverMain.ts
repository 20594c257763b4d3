import { once } from "node:events";
import { createServer } from "node:http";
import { bodyOf } from "./body.ts";

/** `serverMain.ts PORT ADDRESS…`: answers at these addresses of the host's, says when it listens at all, and ends with its standard input. */
const [port, ...addresses] = process.argv.slice(2);

const answering = addresses.map(async (host) => {
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    const body = bodyOf(host, request.url ?? "");
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-length": body.length, "content-type": "application/octet-stream" }).end(body);
  });
  server.maxRequestsPerSocket = 0;
  server.listen({ port: Number(port), host, backlog: 4_096 });
  await once(server, "listening");
});
await Promise.all(answering);
console.log(JSON.stringify({ listens: addresses.length }));
process.stdin.on("end", () => process.exit()).resume();
