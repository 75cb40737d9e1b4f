// What the packages of this repository share. No promise is made about it: it may change in any version.

export { builtInConcerns, knownProviders } from "./kit/built-in-providers.ts";
export { createSecrets } from "./kit/service-secret.ts";
export { developmentIssuer, developmentTokenPurpose } from "./kit/trusted-tokens.ts";
export { onNpmEnd } from "./lifecycle/npm-end.ts";
