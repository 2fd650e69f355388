/** What a claim for storage asks for: on its own, in a pod's volume, in a stateful set's template. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { follows, ifThere, selector } from '../../checks.ts'

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']

/** The access modes of a volume or a claim; a volume for one pod alone is for nothing else. */
export function modes(at: Place, list: readonly string[] | undefined, none = 'at least 1 access mode is required'): void {
  if (!list?.length) at.required(none)
  for (const mode of list ?? []) ifThere(at, mode, accessModes)
  if (list?.includes('ReadWriteOncePod') && list.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))) at.forbidden('may not use ReadWriteOncePod with other access modes')
}

/** The spec of a claim. */
export function claimSpec(at: Place, spec: core.PersistentVolumeClaimSpec): void {
  modes(at.at('accessModes'), spec.accessModes)
  selector(at.at('selector'), spec.selector)
  const storage = spec.resources.requests?.['storage']
  const place = at.at('resources').key('storage')
  if (storage === undefined) place.required()
  else if (!isQuantity(storage) || parseQuantity(storage).nanos <= 0n) place.invalid(storage, 'must be greater than zero')
  if (spec.storageClassName) follows(at.at('storageClassName'), spec.storageClassName, dns1123Subdomain)
  ifThere(at.at('volumeMode'), spec.volumeMode, volumeModes)
  dataSources(at, spec)
  if (spec.volumeAttributesClassName) follows(at.at('volumeAttributesClassName'), spec.volumeAttributesClassName, dns1123Subdomain)
}

function dataSources(at: Place, { dataSource, dataSourceRef }: core.PersistentVolumeClaimSpec): void {
  for (const [name, source] of [['dataSource', dataSource], ['dataSourceRef', dataSourceRef]] as const) {
    if (!source) continue
    const place = at.at(name)
    if (!source.name) place.at('name').required()
    if (!source.kind) place.at('kind').required()
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') place.invalid(source.kind, 'must be \'PersistentVolumeClaim\' when referencing the default apiGroup')
    if (source.apiGroup) follows(place.at('apiGroup'), source.apiGroup, dns1123Subdomain)
  }
  if (dataSourceRef?.namespace) {
    follows(at.at('dataSourceRef').at('namespace'), dataSourceRef.namespace, dns1123Label)
    if (dataSource) at.invalid(at.at('dataSource').text, 'may not be specified when dataSourceRef.namespace is specified')
  } else if (dataSource && dataSourceRef && ((dataSource.apiGroup ?? '') !== (dataSourceRef.apiGroup ?? '') || dataSource.kind !== dataSourceRef.kind || dataSource.name !== dataSourceRef.name)) {
    at.invalid(at.at('dataSource').text, 'must match dataSourceRef')
  }
}
