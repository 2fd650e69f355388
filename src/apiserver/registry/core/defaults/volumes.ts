/** Defaults of volumes. */
import type { core } from '../../../../api/index.ts'
import { each, orDefault, within } from '../../defaulting.ts'
import { fieldRefDefaults, pullPolicyFor } from './containers.ts'

/** 0644 */
const fileMode = 420
const tokenLifetimeSeconds = 3600

function hasSource(volume: core.Volume): boolean {
  for (const key in volume) if (key !== 'name' && volume[key as keyof core.Volume] !== undefined) return true
  return false
}

/** A volume with no source is an empty directory; sources that project files give them mode 0644. */
export function volumeDefaults(volume: core.Volume): core.Volume {
  if (!hasSource(volume)) return { ...volume, emptyDir: {} }
  let next = volume
  next = within(next, 'hostPath', (source) => orDefault(source, { type: '' }))
  next = within(next, 'secret', (source) => orDefault(source, { defaultMode: fileMode }))
  next = within(next, 'configMap', (source) => orDefault(source, { defaultMode: fileMode }))
  next = within(next, 'downwardAPI', (source) => downwardFiles(orDefault(source, { defaultMode: fileMode })))
  next = within(next, 'projected', (source) => projections(orDefault(source, { defaultMode: fileMode })))
  next = within(next, 'ephemeral', (source) => within(source, 'volumeClaimTemplate', (template) => within(template, 'spec', claimSpecDefaults)))
  return within(next, 'image', (source) => orDefault(source, { pullPolicy: pullPolicyFor(source.reference ?? '') }))
}

const downwardFiles = <S extends { readonly items?: readonly core.DownwardAPIVolumeFile[] | undefined }>(source: S): S =>
  each(source as core.DownwardAPIProjection, 'items', downwardFileDefaults) as S
const projections = (source: core.ProjectedVolumeSource): core.ProjectedVolumeSource => each(source, 'sources', projectionDefaults)
const downwardFileDefaults = (file: core.DownwardAPIVolumeFile): core.DownwardAPIVolumeFile => within(file, 'fieldRef', fieldRefDefaults)

function projectionDefaults(projection: core.VolumeProjection): core.VolumeProjection {
  const token = within(projection, 'serviceAccountToken', (source) => orDefault(source, { expirationSeconds: tokenLifetimeSeconds }))
  const certificate = within(token, 'podCertificate', (source) => orDefault(source, { maxExpirationSeconds: 86400 }))
  return within(certificate, 'downwardAPI', downwardFiles)
}

/** Claims ask for a file system unless they say otherwise. */
export const claimSpecDefaults = (spec: core.PersistentVolumeClaimSpec): core.PersistentVolumeClaimSpec => orDefault(spec, { volumeMode: 'Filesystem' })
