/** What a claim for storage asks for: on its own, in a pod's volume, in a stateful set's template. */
import type { core } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { follows, ifThere, selector, type Check } from '../../checks.ts'

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']

/** The access modes of a volume or a claim; a volume for one pod alone is for nothing else. */
export function* modes(at: Path, list: readonly string[] | undefined, none = 'at least 1 access mode is required'): Check {
  if (!list?.length) yield at.required(none)
  for (const mode of list ?? []) yield* ifThere(at, mode, accessModes)
  if (list?.includes('ReadWriteOncePod') && list.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))) yield at.forbidden('may not use ReadWriteOncePod with other access modes')
}

/** The spec of a claim. */
export function* claimSpec(at: Path, spec: core.PersistentVolumeClaimSpec): Check {
  yield* modes(at.at('accessModes'), spec.accessModes)
  yield* selector(at.at('selector'), spec.selector)
  const storage = spec.resources.requests?.['storage']
  const place = at.at('resources').key('storage')
  if (storage === undefined) yield place.required()
  else if (!isQuantity(storage) || parseQuantity(storage).nanos <= 0n) yield place.invalid(storage, 'must be greater than zero')
  if (spec.storageClassName) yield* follows(at.at('storageClassName'), spec.storageClassName, dns1123Subdomain)
  yield* ifThere(at.at('volumeMode'), spec.volumeMode, volumeModes)
  yield* dataSources(at, spec)
  if (spec.volumeAttributesClassName) yield* follows(at.at('volumeAttributesClassName'), spec.volumeAttributesClassName, dns1123Subdomain)
}

function* dataSources(at: Path, { dataSource, dataSourceRef }: core.PersistentVolumeClaimSpec): Check {
  for (const [name, source] of [['dataSource', dataSource], ['dataSourceRef', dataSourceRef]] as const) {
    if (!source) continue
    const place = at.at(name)
    if (!source.name) yield place.at('name').required()
    if (!source.kind) yield place.at('kind').required()
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') yield place.invalid(source.kind, 'must be \'PersistentVolumeClaim\' when referencing the default apiGroup')
    if (source.apiGroup) yield* follows(place.at('apiGroup'), source.apiGroup, dns1123Subdomain)
  }
  if (dataSourceRef?.namespace) {
    yield* follows(at.at('dataSourceRef').at('namespace'), dataSourceRef.namespace, dns1123Label)
    if (dataSource) yield at.invalid(at.at('dataSource').text, 'may not be specified when dataSourceRef.namespace is specified')
  } else if (dataSource && dataSourceRef && ((dataSource.apiGroup ?? '') !== (dataSourceRef.apiGroup ?? '') || dataSource.kind !== dataSourceRef.kind || dataSource.name !== dataSourceRef.name)) {
    yield at.invalid(at.at('dataSource').text, 'must match dataSourceRef')
  }
}
