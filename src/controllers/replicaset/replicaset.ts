/** The ReplicaSet and ReplicationController controllers: as many pods of one template as the spec says. */
import { apps, core, type Resource } from '../../api/index.ts'
import { runController, watch, type ApiObject, type Change, type Controller, type Informer } from '../../client/index.ts'
import { fromLabelSelector, selectorFromSet, type LabelSelector } from '../../machinery/labels.ts'
import { controllerOf } from '../../machinery/meta.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { createExpectations, type Expectations } from '../shared/expectations.ts'
import { controlledBy, controllerIndex, podInformer } from '../shared/pods.ts'
import { ownersOf, replicaReconciler, type ReplicaKind } from './replicas.ts'
import type { ReplicaStatus } from './status.ts'

/** Tells the expectations what the watch has seen of the pods of one kind of controller. */
function observe(expectations: Expectations, kind: string) {
  return ({ type, object: pod, old }: Change<core.Pod>): void => {
    const owner = controllerOf(pod)
    if (owner?.kind !== kind) return
    const key = `${pod.metadata.namespace}/${owner.name}`
    if (type === 'added') expectations.created(key)
    if (type === 'deleted' || (pod.metadata.deletionTimestamp && !old?.metadata.deletionTimestamp)) expectations.deleted(key, pod.metadata.uid ?? '')
  }
}

function start<T extends ApiObject & { readonly status: ReplicaStatus }>(context: ControllerContext, name: string, kind: ReplicaKind<T>, informer: Informer<T>): Controller {
  const pods = podInformer(context.informers)
  const expectations = createExpectations(context.clock)
  pods.onChange(observe(expectations, kind.resource.kind))
  const environment = { client: context.client(name), recorder: recorderOf(context, name), clock: context.clock, pods, expectations }
  return runController({
    name,
    reconciler: replicaReconciler(kind, informer, environment),
    watches: [
      watch(informer, (object) => [`${object.metadata.namespace}/${object.metadata.name}`]),
      watch(pods, (pod) => ownersOf(pod, kind.resource.kind, informer, kind.selector)),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}

/** Selectors are parsed once per object, not once per pod. */
function remembered<T extends object>(parse: (object: T) => LabelSelector): (object: T) => LabelSelector {
  const parsed = new WeakMap<T, LabelSelector>()
  return (object) => {
    let selector = parsed.get(object)
    if (!selector) parsed.set(object, selector = parse(object))
    return selector
  }
}

/** Starts the ReplicaSet controller. */
export function startReplicaSetController(context: ControllerContext): Controller {
  const informer = context.informers.for(apps.replicasets, { indexes: controllerIndex })
  const pods = podInformer(context.informers)
  return start<apps.ReplicaSet>(context, 'replicaset-controller', {
    resource: apps.replicasets as Resource<apps.ReplicaSet>,
    replicas: (rs) => rs.spec.replicas ?? 1,
    selector: remembered((rs) => fromLabelSelector(rs.spec.selector)),
    template: (rs) => rs.spec.template,
    minReadySeconds: (rs) => rs.spec.minReadySeconds ?? 0,
    countsTerminating: true,
    related(rs, own) {
      const deployment = controllerOf(rs)
      if (!deployment) return own
      return controlledBy(informer, deployment.uid).flatMap((sibling) => controlledBy(pods, sibling.metadata.uid ?? ''))
    },
  }, informer)
}

/** Starts the ReplicationController controller. */
export function startReplicationController(context: ControllerContext): Controller {
  const informer = context.informers.for(core.replicationcontrollers)
  return start<core.ReplicationController>(context, 'replication-controller', {
    resource: core.replicationcontrollers as Resource<core.ReplicationController>,
    replicas: (rc) => rc.spec.replicas ?? 1,
    selector: remembered((rc) => selectorFromSet(rc.spec.selector)),
    template: (rc) => rc.spec.template,
    minReadySeconds: (rc) => rc.spec.minReadySeconds ?? 0,
    countsTerminating: false,
    related: (_, own) => own,
  }, informer)
}
