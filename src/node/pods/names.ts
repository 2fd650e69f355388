/** How pods and containers are marked in the runtime, so that they are known again after a restart: Kubernetes's own labels. */
import { join } from 'node:path'
import type { core } from '../../api/index.ts'
import { fnv32a } from '../../machinery/meta.ts'
import { podName, podNamespace, podUid } from '../context.ts'

export const label = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  /** Whose pod it is where several clusters share a runtime. */
  owner: 'skiff.dev/owner',
} as const

export const annotation = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  terminationMessageFile: 'skiff.dev/terminationMessageFile',
  gracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const

/** The labels of a pod's sandbox: Kubernetes's own, and whose part of the runtime it is. */
export const podLabels = (pod: core.Pod, owner: string): Record<string, string> => ({
  [label.owner]: owner,
  [label.podName]: podName(pod),
  [label.podNamespace]: podNamespace(pod),
  [label.podUid]: podUid(pod),
})

/** A container whose name or image changed is made anew; everything else in a running pod's spec is fixed. */
export const containerHash = (container: core.Container): string => fnv32a(JSON.stringify([container.name, container.image])).toString(16)

/** `<logs>/<namespace>_<name>_<uid>` */
export const podLogDirectory = (logs: string, pod: core.Pod): string => join(logs, `${podNamespace(pod)}_${podName(pod)}_${podUid(pod)}`)

/** Relative to the pod's log directory. */
export const containerLog = (name: string, attempt: number): string => `${name}/${attempt}.log`
