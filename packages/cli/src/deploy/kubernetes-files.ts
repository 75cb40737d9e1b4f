import { stringify } from "yaml";
import { type DeploymentPlan, enginePorts, imageUser, postgresPort, propagationSeconds } from "./deployment-plan.ts";

type Yaml = Readonly<Record<string, unknown>>;

const selfHealth = "tercel.live";
/** Keys of a Secret of the type kubernetes.io/tls. */
const tlsKeys = { cert: "tls.crt", key: "tls.key", ca: "ca.crt" } as const;
/** What a small service takes; without a limit of CPU, because that slows it down while the node is idle. */
const resources = { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } } as const;
const fileMount = "/run/secrets/files";

/** The files of `deploy/k8s/`, by their names. */
export function kubernetesFiles(plan: DeploymentPlan): ReadonlyMap<string, string> {
  const isSqlite = plan.database === "sqlite";
  const files = new Map<string, string>([
    ["deployment.yaml", file(deploymentComment(plan), deployment(plan))],
    ["service.yaml", file("Headless: clients see each pod and spread their calls themselves.", service(plan))],
    ["service-account.yaml", file("", serviceAccount(plan))],
    ["network-policy.yaml", file(networkComment, networkPolicy(plan))],
  ]);
  if (isSqlite) {
    files.set("volume.yaml", file("Where SQLite keeps the data: one pod at a time.", volume(plan)));
  } else {
    files.set("disruption-budget.yaml", file("Nodes are drained one pod at a time.", disruptionBudget(plan)));
    files.set("autoscaler.yaml", file("", autoscaler(plan)));
  }
  if (plan.database === "postgres") {
    files.set("migrate.yaml", file(migrateComment, migrateJob(plan)));
  }
  if (plan.engines.includes("kubernetes")) {
    files.set("role.yaml", file("Discovery follows the endpoints of Services.", role(plan), roleBinding(plan)));
  }
  const names = [...files.keys()].sort();
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    labels: [{ pairs: { "app.kubernetes.io/managed-by": "tercel" } }],
    resources: names,
  };
  files.set("kustomization.yaml", file("kubectl apply --kustomize deploy/k8s", kustomization));
  return new Map([...files].sort(([one], [other]) => (one < other ? -1 : 1)));
}

const networkComment =
  "In: calls, and whoever scrapes metrics. Out: names, and what the configuration names. Ports stand for servers outside of the cluster too.";
const migrateComment =
  "Runs before the pods of a release are replaced; a release whose migrations are not applied does not start. Its name has the tag of the image, since the template of a Job cannot be changed.";

function deploymentComment({ database }: DeploymentPlan): string {
  return database === "sqlite"
    ? "SQLite keeps its data in one volume: one pod, which a release stops before it starts the next. With PostgreSQL there can be several."
    : "A release starts a pod, and ends one when that is ready: no call is lost. One wait for those who still send calls: the pause before the stop, so the service itself has none.";
}

function file(comment: string, ...documents: readonly Yaml[]): string {
  const head = ["Made by tercel deploy k8s.", comment].filter((text) => text !== "").map((text) => `# ${text}\n`);
  return (
    head.join("") + documents.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n")
  );
}

function labels({ name }: DeploymentPlan): Yaml {
  return { "app.kubernetes.io/name": name };
}

function metadata(plan: DeploymentPlan, name = plan.name): Yaml {
  return { name, labels: labels(plan) };
}

function deployment(plan: DeploymentPlan): Yaml {
  const { name, database, stop } = plan;
  const isSqlite = database === "sqlite";
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(plan),
    spec: {
      // The autoscaler says how many there are.
      ...(isSqlite && { replicas: 1 }),
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels(plan) },
      strategy: isSqlite
        ? { type: "Recreate" }
        : { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: labels(plan) },
        spec: {
          ...podSpec(plan),
          terminationGracePeriodSeconds: propagationSeconds + stop.drainSeconds + stop.partsSeconds,
          ...(!isSqlite && {
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: labels(plan) },
              },
            ],
          }),
          // A volume that one pod has is migrated in that pod.
          ...(isSqlite && { initContainers: [migration(plan)] }),
          containers: [
            {
              name,
              ...containerSpec(plan),
              ports: portsOf(plan).map(([portName, containerPort]) => ({ name: portName, containerPort })),
              ...probes(plan),
              lifecycle: { preStop: { sleep: { seconds: propagationSeconds } } },
              resources,
            },
          ],
        },
      },
    },
  };
}

function migration(plan: DeploymentPlan): Yaml {
  return { name: "migrate", ...containerSpec(plan), args: ["node", "dist/main.js", "--migrate"], resources };
}

function podSpec(plan: DeploymentPlan): Yaml {
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

function containerSpec(plan: DeploymentPlan): Yaml {
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

/** What differs between clusters comes from one Secret with the name of the service. */
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

function portsOf({ grpcPort, pagesPort }: DeploymentPlan): readonly (readonly [name: string, port: number])[] {
  return [
    ["grpc", grpcPort],
    ...(pagesPort === undefined || pagesPort === grpcPort ? [] : [["http", pagesPort] as const]),
  ];
}

/** The kubelet's gRPC probes speak cleartext alone; with TLS the pages, which are served in cleartext, and the port itself answer. */
function probes({ grpcPort, pagesPort, tls }: DeploymentPlan): Yaml {
  const isHttp = tls !== undefined && pagesPort !== undefined && pagesPort !== grpcPort;
  const alive =
    tls === undefined ? { grpc: { port: grpcPort, service: selfHealth } } : { tcpSocket: { port: grpcPort } };
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

function service(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(plan),
    spec: {
      clusterIP: "None",
      selector: labels(plan),
      ports: portsOf(plan).map(([name, port]) => ({
        name,
        port,
        targetPort: name,
        ...(name === "grpc" && { appProtocol: plan.tls === undefined ? "kubernetes.io/h2c" : "grpc" }),
      })),
    },
  };
}

function serviceAccount(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadata(plan),
    automountServiceAccountToken: false,
  };
}

function disruptionBudget(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadata(plan),
    spec: { maxUnavailable: 1, selector: { matchLabels: labels(plan) } },
  };
}

function autoscaler(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: metadata(plan),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: plan.name },
      minReplicas: 2,
      maxReplicas: 10,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
      ],
    },
  };
}

function volume(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata(plan),
    spec: { accessModes: ["ReadWriteOncePod"], resources: { requests: { storage: "1Gi" } } },
  };
}

function migrateJob(plan: DeploymentPlan): Yaml {
  const tag = plan.image
    .slice(plan.image.lastIndexOf(":") + 1)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  const name = `${plan.name}-migrate`;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `${name}-${tag}`, labels: { "app.kubernetes.io/name": name } },
    spec: {
      backoffLimit: 3,
      ttlSecondsAfterFinished: 3600,
      template: {
        metadata: { labels: { "app.kubernetes.io/name": name } },
        spec: {
          ...podSpec(plan),
          restartPolicy: "Never",
          containers: [migration(plan)],
        },
      },
    },
  };
}

function role(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: metadata(plan),
    rules: [{ apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] }],
  };
}

function roleBinding(plan: DeploymentPlan): Yaml {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: metadata(plan),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: plan.name },
    subjects: [{ kind: "ServiceAccount", name: plan.name }],
  };
}

function networkPolicy(plan: DeploymentPlan): Yaml {
  const serverPorts = new Set([
    ...(plan.database === "postgres" ? [postgresPort] : []),
    ...plan.engines.flatMap((engine) => enginePorts[engine]),
  ]);
  const tcp = (port: number): Yaml => ({ port, protocol: "TCP" });
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(plan),
    spec: {
      // The migrations use the same database.
      podSelector: {
        matchExpressions: [
          {
            key: "app.kubernetes.io/name",
            operator: "In",
            values: [plan.name, ...(plan.database === "postgres" ? [`${plan.name}-migrate`] : [])],
          },
        ],
      },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ ports: portsOf(plan).map(([, port]) => tcp(port)) }],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: [
            { port: 53, protocol: "UDP" },
            { port: 53, protocol: "TCP" },
          ],
        },
        ...(serverPorts.size === 0 ? [] : [{ ports: [...serverPorts].map(tcp) }]),
        ...plan.dependencies.map((name) => ({
          to: [{ podSelector: { matchLabels: { "app.kubernetes.io/name": name } } }],
        })),
      ],
    },
  };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
