/** A claim grows only where its storage class can make volumes larger. */
import { core, storage } from '../../../api/index.ts'
import { parseQuantity } from '../../../machinery/quantity.ts'
import type { ServerEnvironment } from '../../options.ts'
import { classAnnotation } from '../../registry/core/volume-text.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

/** The old annotation wins. */
const classOf = ({ metadata, spec }: core.PersistentVolumeClaim): string | undefined => metadata.annotations?.[classAnnotation] ?? spec.storageClassName
const sizeOf = (claim: core.PersistentVolumeClaim) => parseQuantity(claim.spec.resources.requests?.['storage'] ?? '0')

export function persistentVolumeClaimResize(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const classes = env.lister(storage.storageclasses)
  return {
    name: 'PersistentVolumeClaimResize',
    handles: (a) => a.operation === 'UPDATE' && a.resource.groupResource === 'persistentvolumeclaims' && a.subresource === '',
    validate(a) {
      const claim = a.object as unknown as core.PersistentVolumeClaim
      const old = a.old as unknown as core.PersistentVolumeClaim
      if (sizeOf(claim).compare(sizeOf(old)) <= 0) return
      if (old.status.phase !== 'Bound') throw refused(a, 'Only bound persistent volume claims can be expanded')
      const name = classOf(old)
      if (!name || classOf(claim) !== name || !classes.get('', name)?.allowVolumeExpansion) {
        throw refused(a, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
      }
    },
  }
}
