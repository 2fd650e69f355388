/** What several plugins ask about pods. */
import { core } from '../../api/index.ts'
import { forbidden } from '../../machinery/errors.ts'
import type { AdmissionAttributes } from './admission.ts'

/** A pod itself is being created (not one of its subresources). */
export const createsPod = (a: AdmissionAttributes): boolean => a.operation === 'CREATE' && isPod(a)
/** A pod itself, whatever happens to it. */
export const isPod = (a: AdmissionAttributes): boolean => a.resource.groupResource === 'pods' && a.subresource === ''
/** The pod of a request whose resource is known to be pods. */
export const podOf = (a: AdmissionAttributes): core.Pod => a.object as unknown as core.Pod

/** The pod with parts of its spec replaced. */
export const withSpec = (pod: core.Pod, spec: Partial<core.PodSpec>): core.Pod => ({ ...pod, spec: { ...pod.spec, ...spec } })

/** Mirror pods stand for pods that a node runs from its own files. */
export const isMirrorPod = (pod: core.Pod): boolean => pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined

/** 403 about the object of the request: `pods "x" is forbidden: why`. */
export const refused = (a: AdmissionAttributes, why: string) => forbidden(a.resource, calledName(a), why)

/** What a refusal calls the object: names are not made up yet when most plugins are asked. */
export const calledName = ({ name, object }: AdmissionAttributes): string => name || object?.metadata.name || object?.metadata.generateName || 'Unknown'

/** Whether a toleration covers a taint with this key and effect. An empty key tolerates every key, an empty effect every effect. */
export const toleratesKey = (toleration: core.Toleration, key: string, effect: string): boolean =>
  (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === effect)
