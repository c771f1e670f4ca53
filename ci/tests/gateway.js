// A stand-in for Supabase's gateway, for tests: what the real one does with keys of the newer kind (sb_...) is written down here, not
// shown by it. It asks for the header `apikey`, puts the JSON Web Token of the role in the place of the key, and passes on what
// lies behind /rest/v1, /auth/v1 and /storage/v1 to the services.
// Reads {"keys": {KEY: TOKEN}, "rest": PORT, ...} from standard input, prints its port, and says on standard error what
// never may happen: a key of that kind in `Authorization`. Ends with its standard input's reader: by SIGTERM.
const http = require("http");
const config = JSON.parse(require("fs").readFileSync(0, "utf8"));
const refuse = (answer, message) => {
  answer.writeHead(401, { "Content-Type": "application/json" });
  answer.end(JSON.stringify({ message }));
};
const agent = new http.Agent({ keepAlive: true });
let passed = 0;
const server = http.createServer((request, answer) => {
  const service = /^\/(rest|auth|storage)\/v1(\/.*|$|\?.*)/.exec(request.url);
  const key = request.headers.apikey;
  const bearer = request.headers.authorization;
  if (bearer !== undefined && /sb_(publishable|secret)_/.test(bearer)) {
    console.error("a key of the newer kind came as Authorization");
    return refuse(answer, "Invalid JWT");
  }
  if (key === undefined) return refuse(answer, "No API key found in request");
  if (config.keys[key] === undefined) return refuse(answer, "Invalid API key");
  if (service === null || config[service[1]] === undefined) {
    answer.writeHead(404, { "Content-Type": "application/json" });
    return answer.end('{"message":"no Route matched with those values"}');
  }
  const headers = { ...request.headers };
  if (bearer === undefined && config.keys[key] !== null) headers.authorization = "Bearer " + config.keys[key];
  if (config.keys[key] !== null) delete headers.apikey;
  const target = { host: "127.0.0.1", port: config[service[1]], method: request.method, path: service[2] || "/", headers, agent };
  const on = http.request(target, (given) => {
    passed++;
    answer.writeHead(given.statusCode, given.rawHeaders);
    given.pipe(answer);
  });
  on.on("error", () => {
    if (!answer.headersSent) answer.writeHead(502);
    answer.end();
  });
  request.pipe(on);
});
process.on("SIGTERM", () => {
  console.error(`passed on: ${passed}`);
  process.exit(0);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
