import { joinLines } from "../new/render/join-lines.ts";
import { type DeploymentPlan, imageUser } from "./deployment-plan.ts";

interface ManagerTexts {
  readonly lockFile: string;
  readonly install: string;
  readonly run: string;
  /** Command that installs the package manager, if the Node image does not contain it. */
  readonly setUp?: string;
}

const managers: Readonly<Record<DeploymentPlan["manager"], ManagerTexts>> = {
  npm: { lockFile: "package-lock.json", install: "npm ci --no-audit --no-fund", run: "npx" },
  pnpm: {
    lockFile: "pnpm-lock.yaml",
    install: "pnpm install --frozen-lockfile",
    run: "pnpm exec",
    setUp: "corepack enable",
  },
  yarn: { lockFile: "yarn.lock", install: "yarn install --immutable", run: "yarn", setUp: "corepack enable" },
  bun: { lockFile: "bun.lock", install: "npx -y bun install --frozen-lockfile", run: "npx" },
};

/** Returns `deploy/Dockerfile`. */
export function dockerfile(plan: DeploymentPlan): string {
  const { lockFile, install, run, setUp } = managers[plan.manager];
  const steps = [
    ...(plan.hasProtos ? [`${run} tercel generate --check`] : []),
    `${run} tercel build`,
    ...(plan.database === "sqlite" ? [`mkdir -p /data && chown ${imageUser}:${imageUser} /data`] : []),
  ];
  const ports = [plan.grpcPort, ...(plan.pagesPort === undefined ? [] : [plan.pagesPort])];
  return joinLines(
    "# Made by tercel deploy docker, from the folder above: docker build --file deploy/Dockerfile .",
    "ARG NODE_IMAGE=node:24-slim",
    "",
    `FROM $\{NODE_IMAGE} AS build`,
    "WORKDIR /app",
    setUp !== undefined && `RUN ${setUp}`,
    `COPY package.json ${lockFile} ./`,
    `RUN ${install}`,
    "COPY . .",
    `RUN ${steps.join(" \\\n && ")}`,
    "",
    `FROM $\{NODE_IMAGE}`,
    "ENV NODE_ENV=production",
    "WORKDIR /app",
    ...plan.folders.map((folder) => `COPY --from=build /app/${folder} ./${folder}`),
    "COPY --from=build /app/dist ./dist",
    plan.database === "sqlite" &&
      `# The database is the only thing that the service writes.
COPY --from=build --chown=${imageUser}:${imageUser} /data ./data
VOLUME /app/data`,
    "# An unprivileged user, so that the program cannot change itself.",
    `USER ${imageUser}:${imageUser}`,
    `EXPOSE ${ports.join(" ")}`,
    'HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["node", "dist/main.js", "--health"]',
    'CMD ["node", "--enable-source-maps", "dist/main.js"]',
  );
}

/** Returns `deploy/Dockerfile.dockerignore`: files that docker build ignores. */
export function dockerignore(): string {
  return joinLines(
    "# Files that docker build ignores. Never copy a secret into an image.",
    "**",
    "!buf.yaml",
    "!buf.gen.yaml",
    "!config",
    "!gen",
    "!migrations",
    "!package.json",
    "!package-lock.json",
    "!pnpm-lock.yaml",
    "!yarn.lock",
    "!bun.lock",
    "!proto",
    "!src",
    "!tsconfig.json",
    "config/local.yaml",
    "**/*.key",
    "**/*.pem",
  );
}
