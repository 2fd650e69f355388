/** Which secrets persistent volumes give to the nodes that mount them, and for which claims. */
import type { core } from '../../api/index.ts'
import { keepDerived, type Followed } from '../cache/derived.ts'

type Reference = { readonly namespace?: string | undefined; readonly name?: string | undefined }

export interface VolumeSecrets {
  /** The claims whose volumes need the secret on a node. */
  claims(namespace: string, name: string): Iterable<{ readonly namespace: string; readonly name: string }>
}

/** Follows the volumes; a lookup costs as much as there are volumes with that secret. */
export function createVolumeSecrets(volumes: Followed<core.PersistentVolume>): VolumeSecrets {
  /** secret → claims by volume. */
  const users = new Map<string, Map<string, { readonly namespace: string; readonly name: string }>>()
  const bring = keepDerived(volumes, (_namespace, volume, next, before) => {
    for (const key of before ? secretsOf(before) : []) {
      const left = users.get(key)
      left?.delete(volume)
      if (left?.size === 0) users.delete(key)
    }
    const { namespace = '', name = '' } = next?.spec.claimRef ?? {}
    if (!next?.spec.claimRef) return
    for (const key of secretsOf(next)) {
      let claims = users.get(key)
      if (!claims) users.set(key, (claims = new Map()))
      claims.set(volume, { namespace, name })
    }
  })
  return {
    claims(namespace, name) {
      bring()
      return users.get(`${namespace}/${name}`)?.values() ?? []
    },
  }
}

/** The secrets that a node needs, not those that are for controllers. Without a namespace they are beside the claim. */
function* secretsOf({ spec }: core.PersistentVolume): Iterable<string> {
  const { csi, azureFile } = spec
  const beside: readonly (Reference | undefined)[] = [
    spec.cephfs?.secretRef, spec.flexVolume?.secretRef, spec.rbd?.secretRef, spec.scaleIO?.secretRef, spec.iscsi?.secretRef,
    azureFile && { namespace: azureFile.secretNamespace, name: azureFile.secretName },
  ]
  const elsewhere: readonly (Reference | undefined)[] = [spec.cinder?.secretRef, spec.storageos?.secretRef, csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef]
  for (const ref of beside) if (ref?.name) yield `${ref.namespace || (spec.claimRef?.namespace ?? '')}/${ref.name}`
  for (const ref of elsewhere) if (ref?.name) yield `${ref.namespace ?? ''}/${ref.name}`
}
