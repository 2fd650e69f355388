/** The Deployment controller: from one pod template to the next without stopping the service. */
import { apps, core } from '../../api/index.ts'
import { keyOf, runController, watch, type Controller, type Informer, type Reconciler, type Result } from '../../client/index.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { controllerOf } from '../../machinery/meta.ts'
import { claim } from '../shared/claim.ts'
import { conditionOf } from '../shared/conditions.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { controlledBy, controllerIndex, orphansIn, podInformer } from '../shared/pods.ts'
import type { Deployment, ReplicaSet } from './replica-sets.ts'
import { rollback, rollbackTo } from './rollback.ts'
import { recreate, rollingUpdate } from './rolling.ts'
import { allSets, openRollout, trimHistory, writeStatus, type Environment, type Rollout } from './rollout.ts'
import { isScaling, scale } from './scaling.ts'
import { countedStatus, hasDeadline, rolloutStatus, setCondition, untilDeadline } from './status.ts'

interface Sources { readonly deployments: Informer<Deployment>; readonly replicaSets: Informer<ReplicaSet>; readonly pods: Informer<core.Pod> }

/** The clock of a rollout's deadline stands still while it is paused. */
function notePause(r: Rollout): void {
  const { deployment: d } = r
  if (!hasDeadline(d)) return
  const reason = conditionOf(r.conditions, 'Progressing')?.reason
  const note = (name: string, message: string) => { r.conditions = setCondition(r.conditions, r.env.clock.now(), { type: 'Progressing', status: 'Unknown', reason: name, message }) }
  if (reason === 'ProgressDeadlineExceeded') return
  if (d.spec.paused && reason !== 'DeploymentPaused') note('DeploymentPaused', 'Deployment is paused')
  else if (!d.spec.paused && reason === 'DeploymentPaused') note('DeploymentResumed', 'Deployment is resumed')
}

/** Counts without acting: what is on its way out, or only changes its size, gets no rollout. */
const writeCounts = (r: Rollout) => writeStatus(r, countedStatus(r.deployment, allSets(r), r.newSet, r.conditions, r.env.clock.now()))

async function roll(r: Rollout, pods: Informer<core.Pod>): Promise<Result | void> {
  if (r.deployment.spec.strategy.type === 'Recreate') await recreate(r, r.oldSets.flatMap((rs) => controlledBy(pods, rs.metadata.uid ?? '')))
  else await rollingUpdate(r)
  const now = r.env.clock.now()
  const status = rolloutStatus(r.deployment, allSets(r), r.newSet, r.conditions, now)
  await writeStatus(r, status)
  const left = untilDeadline(r.deployment, status, now)
  return left === undefined ? undefined : { requeueAfter: Math.max(1000, left + 1000) }
}

/** Nothing in the selector would mean every pod of the namespace. */
const selectsAll = (d: Deployment): boolean => Object.keys(d.spec.selector.matchLabels ?? {}).length === 0 && (d.spec.selector.matchExpressions ?? []).length === 0

function reconciler(sources: Sources, env: Environment): Reconciler {
  return {
    async reconcile(key) {
      const deployment = sources.deployments.get(key)
      if (!deployment) return
      if (selectsAll(deployment)) {
        env.recorder.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
        if (deployment.status.observedGeneration === deployment.metadata.generation) return
        await env.client.updateStatus(apps.deployments, { ...deployment, status: { ...deployment.status, observedGeneration: deployment.metadata.generation ?? 0 } })
        return
      }
      const { uid = '', namespace = '' } = deployment.metadata
      const sets = await claim({
        client: env.client, resource: apps.replicasets, controller: deployment, controllerResource: apps.deployments,
        selector: fromLabelSelector(deployment.spec.selector),
        candidates: [...controlledBy(sources.replicaSets, uid), ...orphansIn(sources.replicaSets, namespace)],
      })
      const rollout = await openRollout(env, deployment, sets, !deployment.metadata.deletionTimestamp)
      if (deployment.metadata.deletionTimestamp) return writeCounts(rollout)
      notePause(rollout)
      const former = rollbackTo(deployment)
      if (!deployment.spec.paused && former !== undefined) return rollback(rollout, former)
      if (!deployment.spec.paused && !isScaling(deployment, sets)) return roll(rollout, sources.pods)
      await scale(rollout)
      if (deployment.spec.paused && former === undefined) await trimHistory(rollout)
      return writeCounts(rollout)
    },
  }
}

/** The deployments a replica set concerns: its controller, or those that might adopt it. */
function ownersOf(rs: ReplicaSet, deployments: Informer<Deployment>): readonly string[] {
  const owner = controllerOf(rs)
  const namespace = rs.metadata.namespace ?? ''
  if (owner) return owner.kind === 'Deployment' ? [`${namespace}/${owner.name}`] : []
  if (rs.metadata.deletionTimestamp) return []
  return deployments.list(namespace).filter((d) => fromLabelSelector(d.spec.selector).matches(rs.metadata.labels)).map(keyOf)
}

/** A deployment that recreates waits for the last old pod to go. */
function waitsFor(pod: core.Pod, { deployments, replicaSets }: Sources): readonly string[] {
  const namespace = pod.metadata.namespace ?? ''
  const set = controllerOf(pod)
  const owner = set?.kind === 'ReplicaSet' ? controllerOf(replicaSets.get(`${namespace}/${set.name}`) ?? { metadata: {} }) : undefined
  const key = `${namespace}/${owner?.name}`
  return owner?.kind === 'Deployment' && deployments.get(key)?.spec.strategy.type === 'Recreate' ? [key] : []
}

export function startDeploymentController(context: ControllerContext): Controller {
  const name = 'deployment-controller'
  const sources: Sources = {
    deployments: context.informers.for(apps.deployments),
    replicaSets: context.informers.for(apps.replicasets, { indexes: controllerIndex }),
    pods: podInformer(context.informers),
  }
  return runController({
    name,
    reconciler: reconciler(sources, { client: context.client(name), recorder: recorderOf(context, name), clock: context.clock }),
    watches: [
      watch(sources.deployments, (d) => [keyOf(d)]),
      watch(sources.replicaSets, (rs) => ownersOf(rs, sources.deployments)),
      watch(sources.pods, (pod, change) => (change.type === 'deleted' ? waitsFor(pod, sources) : [])),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
