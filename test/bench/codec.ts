/**
 * What the codecs cost beside `JSON.parse` and `JSON.stringify` of the same pod: `npm run bench -- codec`.
 * Prints microseconds per operation, and the ratio to the JSON operation of the same direction.
 */
import { core } from '../../src/api/index.ts'
import { updateManagedFields } from '../../src/machinery/apply.ts'
import { applyDefaults } from '../../src/machinery/defaults.ts'
import { decodeObject, parseJson } from '../../src/machinery/json.ts'
import { decodeMessage, encodeMessage } from '../../src/machinery/protobuf.ts'

const probe = (path: string) => ({ httpGet: { path, port: 8080, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:05Z' })

/** A pod as a deployment makes it and a node runs it. */
const stored = decodeObject(core.Pod, {
  kind: 'Pod', apiVersion: 'v1',
  metadata: {
    name: 'flask-deployment-7d9c6b5f4-x2x5k', generateName: 'flask-deployment-7d9c6b5f4-', namespace: 'default', uid: '0b7c3a6e-7e0f-4b5e-8c2d-1a2b3c4d5e6f', resourceVersion: '12345',
    creationTimestamp: '2026-01-01T00:00:00Z', labels: { app: 'flask-app', 'pod-template-hash': '7d9c6b5f4', tier: 'front' }, annotations: { 'example.com/checksum': 'a'.repeat(64) },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'flask-deployment-7d9c6b5f4', uid: '1b7c3a6e-7e0f-4b5e-8c2d-1a2b3c4d5e6f', controller: true, blockOwnerDeletion: true }],
  },
  spec: {
    volumes: [{ name: 'config', configMap: { name: 'flask-config', defaultMode: 420 } }, { name: 'kube-api-access-abcde', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }], defaultMode: 420 } }],
    containers: [{
      name: 'flask', image: 'flask-hello:1.0', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }], env: [{ name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'flask-config', key: 'greeting' } } }, { name: 'PORT', value: '8080' }],
      resources: { limits: { cpu: '500m', memory: '128Mi' }, requests: { cpu: '100m', memory: '64Mi' } }, volumeMounts: [{ name: 'config', mountPath: '/etc/flask', readOnly: true }, { name: 'kube-api-access-abcde', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
      livenessProbe: probe('/healthz'), readinessProbe: probe('/ready'), terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', imagePullPolicy: 'IfNotPresent',
    }],
    restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', serviceAccountName: 'default', serviceAccount: 'default', nodeName: 'node-1', securityContext: {}, schedulerName: 'default-scheduler',
    tolerations: ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })), priority: 0, enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority',
  },
  status: {
    phase: 'Running', conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition), hostIP: '10.0.0.1', podIP: '10.42.0.17', podIPs: [{ ip: '10.42.0.17' }], startTime: '2026-01-01T00:00:01Z',
    containerStatuses: [{ name: 'flask', state: { running: { startedAt: '2026-01-01T00:00:03Z' } }, lastState: {}, ready: true, restartCount: 0, image: 'flask-hello:1.0', imageID: `sha256:${'b'.repeat(64)}`, containerID: `containerd://${'c'.repeat(64)}`, started: true }], qosClass: 'Burstable',
  },
}).object
const pod = updateManagedFields(core.Pod, undefined, stored, { manager: 'kubelet', now: Date.parse('2026-01-01T00:00:00Z') })

/** As kubectl sends it: every object's keys sorted. */
const byKubectl = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(byKubectl)
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, byKubectl(v)])) : value
}

const text = JSON.stringify(pod)
const bytes = Buffer.from(text)
const sortedText = JSON.stringify(byKubectl(pod))
const parsed: unknown = JSON.parse(text)
const sorted: unknown = JSON.parse(sortedText)
const message = encodeMessage(core.Pod, pod)
const changed: typeof pod = { ...pod, status: { ...pod.status, phase: 'Failed' } }

/** Microseconds for one run: the best of several rounds, so that neighbours on the machine count less. */
function measure(run: () => unknown): number {
  const rounds = 8
  const each = 4000
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < each; i++) run()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / each / 1000)
  }
  return best
}

const parse = measure(() => JSON.parse(text))
const stringify = measure(() => JSON.stringify(pod))
const line = (name: string, cost: number, base: number, of: string) => console.log(`${name.padEnd(44)} ${cost.toFixed(1).padStart(7)} µs   ${(cost / base).toFixed(2).padStart(5)} × ${of}`)

console.log(`one pod: ${text.length} bytes of JSON, ${message.length} bytes of protobuf`)
line('JSON.parse', parse, parse, 'JSON.parse')
line('parseJson (bytes)', measure(() => parseJson(bytes)), parse, 'JSON.parse')
line('parseJson (bytes, looking for duplicates)', measure(() => parseJson(bytes, { duplicates: true })), parse, 'JSON.parse')
line('decodeObject, as Skiff wrote it', measure(() => decodeObject(core.Pod, parsed)), parse, 'JSON.parse')
line('decodeObject, as kubectl sends it', measure(() => decodeObject(core.Pod, sorted)), parse, 'JSON.parse')
line('applyDefaults', measure(() => applyDefaults(core.Pod, pod)), parse, 'JSON.parse')
line('updateManagedFields, nothing changed', measure(() => updateManagedFields(core.Pod, pod, parsed as typeof pod, { manager: 'a', now: 0 })), parse, 'JSON.parse')
line('updateManagedFields, one field changed', measure(() => updateManagedFields(core.Pod, pod, changed, { manager: 'a', now: 0 })), parse, 'JSON.parse')
line('decodeMessage', measure(() => decodeMessage(core.Pod, message)), parse, 'JSON.parse')
line('JSON.stringify', stringify, stringify, 'JSON.stringify')
line('encodeMessage', measure(() => encodeMessage(core.Pod, pod)), stringify, 'JSON.stringify')
