/** The Namespace controller: empties a namespace that is being deleted, then lets it go. */
import { core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { withCondition, withoutCondition } from '../shared/conditions.ts'
import type { ControllerContext, ControllerSettings } from '../shared/context.ts'
import { podInformer } from '../shared/pods.ts'
import { clearNamespace, deletionConditions, type Remaining } from './content.ts'

const finalizer = 'kubernetes'
/** Between two looks at what is left: pods take their grace period, finalizers their time. */
const lookAgain = 1000
const longestWait = 15_000

function namespaceReconciler(namespaces: Informer<core.Namespace>, client: Client, clock: Clock, settings: Pick<ControllerSettings, 'resources' | 'undiscovered'>): Reconciler {
  /** How often a namespace was found not to be empty. */
  const looks = new Map<string, number>()

  async function writeConditions(namespace: core.Namespace, remaining: Remaining): Promise<core.Namespace> {
    const time = rfc3339(clock.now())
    let conditions: readonly core.NamespaceCondition[] = namespace.status.conditions ?? []
    for (const condition of deletionConditions(remaining)) {
      // The message names counts that change under one reason: it is kept current.
      const before = conditions.find((c) => c.type === condition.type)
      if (before && before.message !== condition.message && before.reason === condition.reason && before.status === condition.status)
        conditions = [...withoutCondition(conditions, condition.type), { ...before, message: condition.message }]
      else conditions = withCondition(conditions, { ...condition, lastTransitionTime: time })
    }
    if (deepEqual(sorted(conditions), sorted(namespace.status.conditions ?? []))) return namespace
    return client.updateStatus(core.namespaces, { ...namespace, status: { ...namespace.status, phase: 'Terminating', conditions } })
  }

  return {
    async reconcile(name) {
      const known = namespaces.get(name)
      if (!known?.metadata.deletionTimestamp || !known.spec.finalizers?.includes(finalizer)) return void looks.delete(name)
      const namespace = await client.get(core.namespaces, name)
      if (namespace.metadata.uid !== known.metadata.uid || !namespace.metadata.deletionTimestamp || !namespace.spec.finalizers?.includes(finalizer)) return
      const remaining = await clearNamespace(client, settings.resources(), name, settings.undiscovered?.())
      const empty = remaining.objects.size === 0 && remaining.failures.length === 0 && remaining.undiscovered.length === 0
      const current = empty ? namespace : await writeConditions(namespace, remaining)
      if (!empty) {
        const count = (looks.get(name) ?? 0) + 1
        looks.set(name, count)
        return { requeueAfter: Math.min(longestWait, lookAgain * count) }
      }
      looks.delete(name)
      await client.update(core.namespaces, { ...current, spec: { ...current.spec, finalizers: current.spec.finalizers?.filter((f) => f !== finalizer) ?? [] } }, { subresource: 'finalize' })
    },
  }
}

const sorted = (conditions: readonly core.NamespaceCondition[]) => [...conditions].sort((a, b) => (a.type < b.type ? -1 : 1))

export function startNamespaceController(context: ControllerContext): Controller {
  const namespaces = context.informers.for(core.namespaces)
  const pods = podInformer(context.informers)
  const name = 'namespace-controller'
  return runController({
    name,
    reconciler: namespaceReconciler(namespaces, context.client(name), context.clock, context.settings),
    watches: [
      watch(namespaces, (namespace) => [keyOf(namespace)]),
      watch(pods, (pod, { type }) => (type === 'deleted' && namespaces.get(pod.metadata.namespace ?? '')?.metadata.deletionTimestamp ? [pod.metadata.namespace ?? ''] : [])),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
