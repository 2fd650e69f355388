/** The volume binder: brings claims and persistent volumes together. */
import { core, storage } from '../../api/index.ts'
import { runController, watch, type Controller } from '../../client/index.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { createWritten } from '../shared/written.ts'
import { binderReconciler, claimKey, volumeKey, type Environment } from './binder.ts'
import { classOf } from './match.ts'

export function startVolumeBinder(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'persistent-volume-binder'
  const claims = informers.for(core.persistentvolumeclaims)
  const volumes = informers.for(core.persistentvolumes)
  const classes = informers.for(storage.storageclasses)
  const env: Environment = {
    client: context.client(name), recorder: recorderOf(context, name, 'persistentvolume-controller'), clock, claims, volumes, classes,
    writtenClaims: createWritten(claims, clock), writtenVolumes: createWritten(volumes, clock),
  }
  const waiting = (test: (className: string) => boolean) => claims.list().filter((claim) => claim.status.phase !== 'Bound' && test(classOf(claim))).map(claimKey)
  const controller: Controller = runController({
    name,
    reconciler: binderReconciler(env, (key) => controller.enqueue(key)),
    watches: [
      // A claim that went frees its volume.
      watch(claims, (claim) => [claimKey(claim), ...(claim.spec.volumeName ? [volumeKey(claim.spec.volumeName)] : [])]),
      // A volume that came or became free may be what a claim waits for; one that went is what a bound claim lost.
      watch(volumes, (volume) => [
        volumeKey(volume.metadata.name ?? ''),
        ...(volume.spec.claimRef?.name ? [`claim:${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}`] : waiting((className) => className === classOf(volume))),
      ]),
      watch(classes, (storageClass) => waiting((className) => className === storageClass.metadata.name)),
    ],
    clock,
    log: context.log,
    concurrency: 1,
    signal: context.signal,
  })
  return controller
}
