/** What is odd about the volumes of a pod: kinds that are gone, and files that overwrite each other. */
import type { core } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { readQuantity } from '../amounts.ts'

/** The kinds that Kubernetes gave up, and since when. */
const gone: Partial<Readonly<Record<keyof core.VolumeSource, string>>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
}
const shownName: Readonly<Record<string, string>> = { storageos: 'storageOS' }

/** Warnings about volumes. */
export function volumeWarnings(at: Path, volumes: readonly core.Volume[], warnings: string[]): void {
  for (const [i, volume] of volumes.entries()) {
    for (const key in volume) {
      const why = volume[key as keyof core.Volume] === undefined ? undefined : gone[key as keyof core.VolumeSource]
      if (why) warnings.push(`${at.index(i).at(shownName[key] ?? key)}: ${why}`)
    }
    const claim = volume.ephemeral?.volumeClaimTemplate
    if (claim) claimWarnings(at.index(i).at('ephemeral').at('volumeClaimTemplate').at('spec'), claim.spec, warnings)
    overlaps(volume, warnings)
  }
}

/** A claim for a fraction of a byte. */
function claimWarnings(at: Path, { resources }: core.PersistentVolumeClaimSpec, warnings: string[]): void {
  for (const part of ['requests', 'limits'] as const) {
    const quantity = readQuantity(resources[part]?.['storage'])
    if (quantity && quantity.nanos % 1_000_000_000n !== 0n) {
      warnings.push(`${at.at('resources').at(part).key('storage')}: fractional byte value ${JSON.stringify(quantity.toString())} is invalid, must be an integer`)
    }
  }
}

/** Paths are compared with this many before them, until so much is said: whoever has more of them is told enough. */
const mostPaths = 100
const mostWarnings = 500

const pathsOf = (items: readonly { readonly path: string }[] | undefined): readonly string[] => (items ?? []).map((item) => item.path)

/** Files of one volume that would stand in each other's place. */
function overlaps(volume: core.Volume, warnings: string[]): void {
  const { configMap, secret, downwardAPI, projected } = volume
  const of = (kind: string, paths: readonly string[]) => {
    const taken: string[] = []
    for (const path of paths.map(trimmed)) {
      for (const other of taken) {
        if (warnings.length < mostWarnings && collide(path, other)) warnings.push(`volume ${JSON.stringify(volume.name)} (${kind}): overlapping paths: ${JSON.stringify(path)} with ${JSON.stringify(other)}`)
      }
      if (taken.length < mostPaths) taken.push(path)
    }
  }
  if (configMap) of(`ConfigMap ${JSON.stringify(configMap.name ?? '')}`, pathsOf(configMap.items))
  if (secret) of(`Secret ${JSON.stringify(secret.secretName ?? '')}`, pathsOf(secret.items))
  if (downwardAPI) of('DownwardAPI', pathsOf(downwardAPI.items))
  if (projected) projectedOverlaps(volume.name, projected.sources as readonly core.VolumeProjection[], warnings)
}

function projectedOverlaps(name: string, sources: readonly core.VolumeProjection[], warnings: string[]): void {
  const taken: { readonly path: string; readonly from: string }[] = []
  for (const source of sources) {
    const [from, paths] = files(source)
    if (from === '') warnings.push(`volume ${JSON.stringify(name)} (Projected) has no sources provided`)
    for (const path of paths.map(trimmed)) {
      for (const other of taken) {
        if (warnings.length < mostWarnings && collide(path, other.path)) warnings.push(`volume ${JSON.stringify(name)} (Projected): overlapping paths: ${JSON.stringify(path)} (${from}) with ${JSON.stringify(other.path)} (${other.from})`)
      }
      if (taken.length < mostPaths) taken.push({ path, from })
    }
  }
}

/** The files of one source, and what it is called; no name: there is nothing in it. */
function files({ configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate }: core.VolumeProjection): readonly [string, readonly string[]] {
  if (configMap) return [`ConfigMap ${JSON.stringify(configMap.name ?? '')}`, pathsOf(configMap.items)]
  if (secret) return [`Secret ${JSON.stringify(secret.name ?? '')}`, pathsOf(secret.items)]
  if (downwardAPI) return ['DownwardAPI', pathsOf(downwardAPI.items)]
  if (serviceAccountToken) return ['ServiceAccountToken', [serviceAccountToken.path]]
  if (clusterTrustBundle) return [`ClusterTrustBundle ${JSON.stringify(clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? '')}`, [clusterTrustBundle.path]]
  if (podCertificate) return ['PodCertificate', [podCertificate.credentialBundlePath, podCertificate.keyPath, podCertificate.certificateChainPath].flatMap((path) => path ?? [])]
  return ['', []]
}

const trimmed = (path: string): string => path.replace(/\/+$/, '')

/** Whether one path is the other, or a directory of it. */
const collide = (a: string, b: string): boolean => a !== '' && b !== '' && (`${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`))
