import { signDevelopmentToken } from "../service/development-tokens.ts";
import { openServiceSecret } from "../service/service-secret.ts";
import { readTokenRequest } from "./token-request.ts";

const request = readTokenRequest(process.argv.slice(2), process.env, process.cwd());
if (request.kind === "help") {
  process.stdout.write(`${request.text}\n`);
} else if (request.kind === "refused") {
  process.stderr.write(`No token: ${request.problem}\n`);
  process.exitCode = 1;
} else {
  const { subject, role, lifeMinutes, settings } = request;
  const secret = openServiceSecret(settings.secretFile);
  const audience = [settings.tokenAudience, settings.orderTokenAudience];
  const token = await signDevelopmentToken(secret, { subject, role, lifeMinutes, audience });
  process.stdout.write(`${token}\n`);
}
