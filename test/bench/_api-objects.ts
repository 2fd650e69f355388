/** The objects of the API bench: a pod as a deployment makes it, and a ConfigMap of about a kilobyte. */
export const pods = 3000
/** Pods that are made to be deleted. */
export const doomed = 3000
export const benchNamespace = 'skiff-bench'
export const otherNamespace = 'skiff-bench-other'
export const collection = `/api/v1/namespaces/${benchNamespace}/pods`

/** No scheduler takes it: where a cluster has nodes, nothing runs because of the bench. */
export const podOf = (metadata: object) => ({
  kind: 'Pod', apiVersion: 'v1',
  metadata: { namespace: benchNamespace, labels: { app: 'web', 'pod-template-hash': '7d9c5b8f6' }, ...metadata },
  spec: {
    schedulerName: 'nobody',
    containers: [{
      name: 'web', image: 'registry.example.com/web:1.2.3', ports: [{ containerPort: 8080 }], env: [{ name: 'MODE', value: 'production' }],
      resources: { requests: { cpu: '100m', memory: '64Mi' } }, readinessProbe: { httpGet: { path: '/', port: 8080 } },
    }],
  },
})
export const configMapOf = (name: string) => ({ metadata: { name, namespace: benchNamespace, labels: { app: 'web' } }, data: { 'app.conf': 'listen = 8080\nworkers = 4\nlog = info\n'.repeat(20) } })
export const nameOf = (i: number): string => `web-7d9c5b8f6-${String(i).padStart(6, '0')}`

/** As many calls at a time as a busy cluster has. */
export async function inTurns(from: number, to: number, call: (i: number) => Promise<unknown>): Promise<void> {
  let next = from
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (next < to) await call(next++)
  }))
}
