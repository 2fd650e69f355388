/** Claims of pods' own: a volume with a claim template gets a claim that lives as long as its pod. */
import { core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import { isControlledBy, ownerReference } from '../../machinery/meta.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { podInformer } from '../shared/pods.ts'
import type { Claim } from './match.ts'

type Pod = core.Pod

/** The name of the claim of a pod's volume. */
export const ephemeralClaimName = (pod: Pod, volume: core.Volume): string => `${pod.metadata.name}-${volume.name}`

/** Whether the claim was made for this very pod, not for an earlier one of its name and not by a user. */
export const isClaimFor = (claim: Claim, pod: Pod): boolean => claim.metadata.namespace === pod.metadata.namespace && isControlledBy(claim, pod)

const ephemeralVolumes = (pod: Pod): readonly core.Volume[] => (pod.spec.volumes ?? []).filter((volume) => volume.ephemeral)

interface Environment { readonly pods: Informer<Pod>; readonly claims: Informer<Claim>; readonly client: Client; readonly recorder: EventRecorder }

function ephemeralReconciler({ pods, claims, client, recorder }: Environment): Reconciler {
  async function provide(pod: Pod, volume: core.Volume): Promise<void> {
    const name = ephemeralClaimName(pod, volume)
    const { namespace = '' } = pod.metadata
    const there = claims.get(`${namespace}/${name}`)
    if (there && isClaimFor(there, pod)) return
    if (there) throw new Error(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`)
    const template = volume.ephemeral?.volumeClaimTemplate
    if (!template) return
    const { labels, annotations } = template.metadata ?? {}
    try {
      await client.create(core.persistentvolumeclaims, {
        metadata: { name, namespace, ownerReferences: [ownerReference(pod)], ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
        spec: template.spec,
      })
    } catch (error) {
      throw new Error(`create PVC ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  return {
    async reconcile(key) {
      const pod = pods.get(key)
      if (!pod || pod.metadata.deletionTimestamp) return
      for (const volume of ephemeralVolumes(pod)) {
        try {
          await provide(pod, volume)
        } catch (error) {
          recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${(error as Error).message}`)
          throw error
        }
      }
    },
  }
}

/** Starts the controller of generic ephemeral volumes. */
export function startEphemeralVolumeController(context: ControllerContext): Controller {
  const name = 'ephemeral-volume-controller'
  const pods = podInformer(context.informers)
  const claims = context.informers.for(core.persistentvolumeclaims)
  const needing = (claim: Claim) => pods.list(claim.metadata.namespace ?? '').filter((pod) => ephemeralVolumes(pod).some((volume) => ephemeralClaimName(pod, volume) === claim.metadata.name))
  return runController({
    name,
    reconciler: ephemeralReconciler({ pods, claims, client: context.client(name), recorder: recorderOf(context, name, 'ephemeral_volume') }),
    watches: [
      watch(pods, (pod, { type }) => (type === 'added' && ephemeralVolumes(pod).length > 0 ? [keyOf(pod)] : [])),
      // A claim that went may have been in the way.
      watch(claims, (claim, { type }) => (type === 'deleted' ? needing(claim).map(keyOf) : [])),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
