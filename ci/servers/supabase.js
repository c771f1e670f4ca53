// Prints the two keys of a project, one a line: anon, service_role. The secret comes on standard input.
const crypto = require("crypto");
const secret = require("fs").readFileSync(0, "utf8").trim();
const b64 = (x) => Buffer.from(x).toString("base64url");
const now = Math.floor(Date.now() / 1000);
for (const role of ["anon", "service_role"]) {
  const head = b64('{"alg":"HS256","typ":"JWT"}') + "." +
    b64(JSON.stringify({ role, iss: "supabase", iat: now, exp: now + 5 * 365 * 86400 }));
  console.log(head + "." + crypto.createHmac("sha256", secret).update(head).digest("base64url"));
}
