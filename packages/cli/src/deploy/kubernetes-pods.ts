import { type DeploymentPlan, imageUser } from "./deployment-plan.ts";

type Yaml = Readonly<Record<string, unknown>>;

/** The health service that reports the process alone, without its dependencies. */
const liveHealth = "tercel.live";
/** Keys of a Secret of the type kubernetes.io/tls. */
const tlsKeys = { cert: "tls.crt", key: "tls.key", ca: "ca.crt" } as const;
/** Resources of a small service; without a CPU limit, which would throttle it even while the node is idle. */
export const resources = { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } } as const;
/** Mount path of files that variables name. */
const fileMount = "/run/secrets/files";

/** Returns a container that applies migrations. */
export function migration(plan: DeploymentPlan): Yaml {
  return { name: "migrate", ...containerSpec(plan), args: ["node", "dist/main.js", "--migrate"], resources };
}

/** Returns the common parts of the service's pods: no privileges, and the volumes. */
export function podSpec(plan: DeploymentPlan): Yaml {
  return {
    serviceAccountName: plan.name,
    automountServiceAccountToken: plan.engines.includes("kubernetes"),
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: imageUser,
      runAsGroup: imageUser,
      fsGroup: imageUser,
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumes: [
      { name: "tmp", emptyDir: {} },
      ...(plan.database === "sqlite" ? [{ name: "data", persistentVolumeClaim: { claimName: plan.name } }] : []),
      ...tlsVolume(plan),
      ...filesVolume(plan),
    ],
  };
}

/** Returns the common parts of the containers: the image, its variables and a read-only file system. */
export function containerSpec(plan: DeploymentPlan): Yaml {
  return {
    image: plan.image,
    env: environmentOf(plan),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      ...(plan.database === "sqlite" ? [{ name: "data", mountPath: "/app/data" }] : []),
      ...(plan.tls === undefined ? [] : [{ name: "tls", mountPath: folderOf(plan.tls.certFile), readOnly: true }]),
      ...(filesOf(plan).length === 0 ? [] : [{ name: "files", mountPath: fileMount, readOnly: true }]),
    ],
  };
}

/** Returns the variables. Values that differ between clusters come from one Secret named after the service. */
function environmentOf(plan: DeploymentPlan): readonly Yaml[] {
  const fromSecret = plan.variables.map(({ name, kind, example }) => {
    if (kind === "tls") return { name, value: example };
    if (kind === "file") return { name, value: `${fileMount}/${name}` };
    return { name, valueFrom: { secretKeyRef: { name: plan.name, key: name } } };
  });
  const settings = plan.settings.map(([name, value]) => ({ name, value }));
  return [
    { name: "NODE_ENV", value: "production" },
    { name: "TERCEL__SERVICE__PROPAGATION", value: "0" },
    ...fromSecret,
    ...settings,
  ];
}

function filesOf({ variables }: DeploymentPlan): readonly string[] {
  return variables.filter(({ kind }) => kind === "file").map(({ name }) => name);
}

function filesVolume(plan: DeploymentPlan): readonly Yaml[] {
  const files = filesOf(plan);
  if (files.length === 0) return [];
  const items = files.map((name) => ({ key: name, path: name }));
  return [{ name: "files", secret: { secretName: plan.name, items } }];
}

function tlsVolume({ name, tls }: DeploymentPlan): readonly Yaml[] {
  if (tls === undefined) return [];
  const items = [
    { key: tlsKeys.cert, path: nameOf(tls.certFile) },
    { key: tlsKeys.key, path: nameOf(tls.keyFile) },
    ...(tls.caFile === undefined ? [] : [{ key: tlsKeys.ca, path: nameOf(tls.caFile) }]),
  ];
  return [{ name: "tls", secret: { secretName: `${name}-tls`, items } }];
}

/** Returns the ports by the names that the Service and the probes use. */
export function portsOf({ grpcPort, pagesPort }: DeploymentPlan): readonly (readonly [name: string, port: number])[] {
  return [
    ["grpc", grpcPort],
    ...(pagesPort === undefined || pagesPort === grpcPort ? [] : [["http", pagesPort] as const]),
  ];
}

/** Returns the probes. The kubelet's gRPC probes support cleartext only; with TLS they use the HTTP pages, which are cleartext, or the TCP port. */
export function probes({ grpcPort, pagesPort, tls }: DeploymentPlan): Yaml {
  const isHttp = tls !== undefined && pagesPort !== undefined && pagesPort !== grpcPort;
  const alive =
    tls === undefined ? { grpc: { port: grpcPort, service: liveHealth } } : { tcpSocket: { port: grpcPort } };
  const ready =
    tls === undefined
      ? { grpc: { port: grpcPort } }
      : isHttp
        ? { httpGet: { path: "/ready", port: pagesPort } }
        : { exec: { command: ["node", "dist/main.js", "--health"] } };
  return {
    startupProbe: { ...alive, periodSeconds: 1, failureThreshold: 90 },
    livenessProbe: { ...alive, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 5 },
    readinessProbe: { ...ready, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 5 },
  };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
