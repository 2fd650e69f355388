/** The secrets that a pod needs, however it names them. */
import type { core } from '../../api/index.ts'

type Named = { readonly name?: string | undefined } | undefined

/** Whether something of the pod names this secret: a volume of any kind, a variable, or what its images are pulled with. */
export function usesSecret({ spec }: core.Pod, name: string): boolean {
  const isIt = (reference: Named): boolean => reference?.name === name
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  return (spec.imagePullSecrets ?? []).some(isIt)
    || containers.some(({ env = [], envFrom = [] }) => envFrom.some(({ secretRef }) => isIt(secretRef)) || env.some(({ valueFrom }) => isIt(valueFrom?.secretKeyRef)))
    || (spec.volumes ?? []).some((volume) => inVolume(volume, name))
}

function inVolume(volume: core.Volume, name: string): boolean {
  const { secret, azureFile, projected, csi, iscsi, cephfs, flexVolume, rbd, scaleIO, storageos } = volume
  const references: readonly Named[] = [
    csi?.nodePublishSecretRef, ...[iscsi, cephfs, flexVolume, rbd, scaleIO, storageos].map((source) => source?.secretRef), ...(projected?.sources ?? []).map((source) => source.secret),
  ]
  return secret?.secretName === name || azureFile?.secretName === name || references.some((reference) => reference?.name === name)
}
