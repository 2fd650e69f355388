/** Which pods belong together: those of the services and workload controllers that select a pod. */
import { apps, core } from '../api/index.ts'
import type { Informer, Informers } from '../client/informer.ts'
import { fromLabelSelector, labelSelectorOf, selectorFromSet } from '../machinery/labels.ts'
import type { LabelSelector } from '../machinery/labels.ts'
import { controllerOf } from '../machinery/meta.ts'

/** Returns the selector of a pod's siblings: those of its services and its controller, combined; undefined when it has neither. */
export function createSiblings(informers: Informers): (pod: core.Pod) => LabelSelector | undefined {
  const services = informers.for(core.services)
  const controllers: Readonly<Record<string, Informer<{ readonly spec: { readonly selector?: unknown } }>>> = {
    ReplicationController: informers.for(core.replicationcontrollers) as never,
    ReplicaSet: informers.for(apps.replicasets) as never,
    StatefulSet: informers.for(apps.statefulsets) as never,
  }
  const selectorOfController = (pod: core.Pod): LabelSelector | undefined => {
    const owner = controllerOf(pod)
    const selector = owner && controllers[owner.kind]?.get(`${pod.metadata.namespace}/${owner.name}`)?.spec.selector
    if (!selector) return undefined
    return owner.kind === 'ReplicationController' ? selectorFromSet(selector as Record<string, string>) : fromLabelSelector(selector as never)
  }
  return (pod) => {
    const all = services.list(pod.metadata.namespace).flatMap((s) => {
      const selector = s.spec.selector && Object.keys(s.spec.selector).length ? selectorFromSet(s.spec.selector) : undefined
      return selector?.matches(pod.metadata.labels) ? [selector] : []
    })
    const own = selectorOfController(pod)
    if (own) all.push(own)
    return all.length ? labelSelectorOf(all.flatMap((s) => s.requirements)) : undefined
  }
}
