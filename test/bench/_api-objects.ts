/** The objects of the API bench: a pod as a deployment makes it, and a ConfigMap of about a kilobyte. */
export const podOf = (metadata: object) => ({
  kind: 'Pod', apiVersion: 'v1',
  metadata: { namespace: 'default', labels: { app: 'web', 'pod-template-hash': '7d9c5b8f6' }, ...metadata },
  spec: {
    containers: [{
      name: 'web', image: 'registry.example.com/web:1.2.3', ports: [{ containerPort: 8080 }], env: [{ name: 'MODE', value: 'production' }],
      resources: { requests: { cpu: '100m', memory: '64Mi' } }, readinessProbe: { httpGet: { path: '/', port: 8080 } },
    }],
  },
})
export const configMapOf = (name: string) => ({ metadata: { name, namespace: 'default', labels: { app: 'web' } }, data: { 'app.conf': 'listen = 8080\nworkers = 4\nlog = info\n'.repeat(20) } })
export const nameOf = (i: number): string => `web-7d9c5b8f6-${String(i).padStart(6, '0')}`
