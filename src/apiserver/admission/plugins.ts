/** Every admission plugin that is on, in the order Kubernetes runs them. */
import type { ServerEnvironment } from '../options.ts'
import type { AdmissionPlugin } from './admission.ts'
import { defaultTolerationSeconds } from './plugins/default-toleration-seconds.ts'
import { extendedResourceToleration } from './plugins/extended-resource-toleration.ts'
import { limitRanger } from './plugins/limit-ranger.ts'
import { namespaceLifecycle } from './plugins/namespace-lifecycle.ts'
import { priority } from './plugins/priority.ts'
import { serviceAccount, type ServiceAccountOptions } from './plugins/service-account.ts'
import { taintNodesByCondition } from './plugins/taint-nodes-by-condition.ts'

export type AdmissionEnvironment = Pick<ServerEnvironment, 'lister' | 'client' | 'clock'>

export const admissionPlugins = (env: AdmissionEnvironment, options: ServiceAccountOptions): readonly AdmissionPlugin[] => [
  namespaceLifecycle(env),
  limitRanger(env),
  serviceAccount(env, options),
  taintNodesByCondition(),
  priority(env),
  defaultTolerationSeconds(),
  extendedResourceToleration(),
]
