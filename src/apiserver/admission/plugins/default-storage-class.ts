/** Claims that name no storage class get the default one. */
import { core, storage } from '../../../api/index.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { newestMarked } from '../defaults.ts'

const marks = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'] as const
const oldWay = 'volume.beta.kubernetes.io/storage-class'

export function defaultStorageClass(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const classes = env.lister(storage.storageclasses)
  return {
    name: 'DefaultStorageClass',
    handles: (a) => a.operation === 'CREATE' && a.resource.groupResource === 'persistentvolumeclaims' && a.subresource === '',
    mutate(a) {
      const claim = a.object as unknown as core.PersistentVolumeClaim
      // An empty name is a choice: a volume without a class.
      if (claim.spec.storageClassName !== undefined || claim.metadata.annotations?.[oldWay] !== undefined) return claim
      const chosen = newestMarked(classes.list(), marks)
      return chosen ? { ...claim, spec: { ...claim.spec, storageClassName: chosen.metadata.name } } : claim
    },
  }
}
