/** Claims that pods use and volumes that claims use are not deleted under them: a finalizer holds them until they are free. */
import { core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { ControllerContext } from '../shared/context.ts'
import { podInformer } from '../shared/pods.ts'
import { ephemeralClaimName, isClaimFor } from './ephemeral.ts'
import type { Claim, Volume } from './match.ts'

const claimFinalizer = 'kubernetes.io/pvc-protection'
const volumeFinalizer = 'kubernetes.io/pv-protection'

const namesOf = (pod: core.Pod): readonly string[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? ephemeralClaimName(pod, volume) : []))

/** Its node is done with the pod, or somebody did not want to wait for that: only finalizers keep it. */
const isShutDown = ({ metadata }: core.Pod): boolean => Boolean(metadata.deletionTimestamp) && Number(metadata.deletionGracePeriodSeconds ?? 1) === 0

/** A pod holds its claims once it is on a node, until it is gone: also when it has ended. A claim of its own it lets go when it is shut down, as that goes with it. */
const holds = (pod: core.Pod, claim: Claim): boolean =>
  Boolean(pod.spec.nodeName) && (pod.spec.volumes ?? []).some((volume) =>
    volume.persistentVolumeClaim?.claimName === claim.metadata.name
    || (volume.ephemeral && !isShutDown(pod) && ephemeralClaimName(pod, volume) === claim.metadata.name && isClaimFor(claim, pod)))

const byClaim = { claim: (pod: core.Pod) => namesOf(pod).map((name) => `${pod.metadata.namespace}/${name}`) }

/** The finalizers as they should be; undefined when they are. */
async function finalizers({ metadata }: Claim | Volume, finalizer: string, isUsed: () => boolean | Promise<boolean>): Promise<readonly string[] | undefined> {
  const there = metadata.finalizers ?? []
  if (!metadata.deletionTimestamp) return there.includes(finalizer) ? undefined : [...there, finalizer]
  return there.includes(finalizer) && !(await isUsed()) ? there.filter((f) => f !== finalizer) : undefined
}

function claimProtection(claims: Informer<Claim>, pods: Informer<core.Pod>, client: Client): Reconciler {
  /** Letting go cannot be taken back: that no pod uses the claim the server says, as a pod may just have come. */
  const isUsed = async (claim: Claim): Promise<boolean> =>
    pods.byIndex('claim', keyOf(claim)).some((pod) => holds(pod, claim))
    || (await client.list(core.pods, { namespace: claim.metadata.namespace ?? '' })).items.some((pod) => holds(pod, claim))
  return {
    async reconcile(key) {
      const claim = claims.get(key)
      const next = claim && await finalizers(claim, claimFinalizer, () => isUsed(claim))
      if (claim && next) await client.update(core.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, finalizers: next } })
    },
  }
}

function volumeProtection(volumes: Informer<Volume>, client: Client): Reconciler {
  return {
    async reconcile(key) {
      const volume = volumes.get(key)
      const next = volume && await finalizers(volume, volumeFinalizer, () => volume.status.phase === 'Bound')
      if (volume && next) await client.update(core.persistentvolumes, { ...volume, metadata: { ...volume.metadata, finalizers: next } })
    },
  }
}

/** Starts the controller that protects claims in use. */
export function startClaimProtection(context: ControllerContext): Controller {
  const name = 'pvc-protection-controller'
  const claims = context.informers.for(core.persistentvolumeclaims)
  podInformer(context.informers)
  const pods = context.informers.for(core.pods, { indexes: byClaim })
  return runController({
    name,
    reconciler: claimProtection(claims, pods, context.client(name)),
    watches: [
      watch(claims, (claim) => [keyOf(claim)]),
      watch(pods, (pod, { type, object, old }) => (type === 'updated' && old && Boolean(object.spec.nodeName) === Boolean(old.spec.nodeName) && isShutDown(object) === isShutDown(old) ? [] : byClaim.claim(pod))),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}

/** Starts the controller that protects volumes in use. */
export function startVolumeProtection(context: ControllerContext): Controller {
  const name = 'pv-protection-controller'
  const volumes = context.informers.for(core.persistentvolumes)
  return runController({
    name,
    reconciler: volumeProtection(volumes, context.client(name)),
    watches: [watch(volumes, (volume) => [keyOf(volume)])],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
