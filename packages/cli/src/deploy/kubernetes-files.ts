import { stringify } from "yaml";
import { type DeploymentPlan, enginePorts, postgresPort, propagationSeconds } from "./deployment-plan.ts";
import { containerSpec, migration, podSpec, portsOf, probes, resources } from "./kubernetes-pods.ts";

type Yaml = Readonly<Record<string, unknown>>;

/** Returns the files of `deploy/k8s/` by name. */
export function kubernetesFiles(plan: DeploymentPlan): ReadonlyMap<string, string> {
  const isSqlite = plan.database === "sqlite";
  const files = new Map<string, string>([
    ["deployment.yaml", file(deploymentComment(plan), deployment(plan))],
    ["service.yaml", file("Headless: clients resolve each pod and balance the load themselves.", service(plan))],
    ["service-account.yaml", file("", serviceAccount(plan))],
    ["network-policy.yaml", file(networkComment, networkPolicy(plan))],
  ]);
  if (isSqlite) {
    files.set("volume.yaml", file("The volume of SQLite's data: one pod at a time.", volume(plan)));
  } else {
    files.set("disruption-budget.yaml", file("Nodes are drained one pod at a time.", disruptionBudget(plan)));
    files.set("autoscaler.yaml", file("", autoscaler(plan)));
  }
  if (plan.database === "postgres") {
    files.set("migrate.yaml", file(migrateComment, migrateJob(plan)));
  }
  if (plan.engines.includes("kubernetes")) {
    files.set("role.yaml", file("Discovery watches the endpoints of Services.", role(plan), roleBinding(plan)));
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
  "Ingress: calls and metrics scrapers. Egress: DNS and the servers in the configuration. The ports also allow servers outside of the cluster.";
const migrateComment =
  "Run it before the pods of a release are replaced: a release with pending migrations does not start. Its name contains the image tag, because the template of a Job is immutable.";

function deploymentComment({ database }: DeploymentPlan): string {
  return database === "sqlite"
    ? "SQLite keeps its data in one volume: a single pod, which a release stops before it starts the next. PostgreSQL allows several pods."
    : "A release starts a pod and stops another one when it is ready, so no call is lost. preStop waits until clients stop sending calls, so the service itself does not wait.";
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
      // The autoscaler sets the number of replicas.
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
          // Only the pod that has the volume can migrate it.
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
      // The migration Job uses the same database.
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
