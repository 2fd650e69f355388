/** Claims and volumes are born with the finalizer that keeps them while they are used: between birth and the first look of a controller nothing can slip away. */
import type { ApiObject } from '../../../client/client.ts'
import type { AdmissionPlugin } from '../admission.ts'

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
}

export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    handles: (a) => a.operation === 'CREATE' && a.subresource === '' && Object.hasOwn(finalizers, a.resource.groupResource),
    mutate(a) {
      const object = a.object as ApiObject
      const finalizer = finalizers[a.resource.groupResource] as string
      const there = object.metadata.finalizers ?? []
      return there.includes(finalizer) ? object : { ...object, metadata: { ...object.metadata, finalizers: [...there, finalizer] } }
    },
  }
}
