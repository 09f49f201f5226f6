// A real OpenID provider on loopback for the tests of single sign-on. Reads one line of JSON from standard input
// ({client: {id, secret, callbacks}, accounts: [{subject, password, claims}]}), writes one line ({issuer}) when it
// listens, and ends when standard input closes: it cannot outlive the test that started it.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const lines = createInterface({ input: process.stdin });
lines.on("close", () => process.exit(0));
lines.once("line", (line) => start(JSON.parse(line)));

function start({ client, accounts }) {
  const server = createServer();
  server.listen(0, "127.0.0.1", () => {
    const issuer = `http://127.0.0.1:${server.address().port}`; // the port is known before the provider is made
    const provider = new Provider(issuer, configuration(client, accounts));
    const answer = provider.callback();
    server.on("request", (request, response) => {
      if (!request.url.startsWith("/interaction/")) return answer(request, response);
      return interaction(provider, accounts, request, response).catch((error) => {
        response.writeHead(400, { "content-type": "text/plain" }).end(String(error));
      });
    });
    process.stdout.write(`${JSON.stringify({ issuer })}\n`);
  });
}

function configuration(client, accounts) {
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  return {
    // A native client may come back to any port of the loopback: the site under test has a new one each time.
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        application_type: "native",
        redirect_uris: client.callbacks,
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    jwks: { keys: [{ ...key, alg: "RS256", use: "sig" }] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    // Lifetimes are said, since the provider warns about its defaults.
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount: (_context, subject) => {
      const account = accounts.find((each) => each.subject === subject);
      return account && { accountId: subject, claims: () => ({ sub: subject, ...account.claims }) };
    },
  };
}

async function interaction(provider, accounts, request, response) {
  const details = await provider.interactionDetails(request, response);
  if (details.prompt.name === "consent") return consent(provider, details, request, response);
  if (request.method !== "POST") return page(response, 200, "");
  const form = await body(request);
  if (form.get("act") === "cancel") {
    const result = { error: "access_denied", error_description: "The person went back" };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const account = accounts.find(
    (each) => each.subject === form.get("subject") && each.password === form.get("password"),
  );
  if (!account) return page(response, 401, "<p role=alert>No such person, or not this password.</p>");
  const result = { login: { accountId: account.subject } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function consent(provider, { params, session, prompt }, request, response) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(" "));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

function page(response, status, note) {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(`<!doctype html>
<html lang="en"><title>Provider</title><h1>The provider</h1>${note}
<form method="post">
<p><label>Person <input name="subject" autocomplete="username"></label>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label>
<p><button name="act" value="enter">Sign in</button> <button name="act" value="cancel">Go back</button>
</form></html>`);
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}
