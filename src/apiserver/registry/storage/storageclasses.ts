/** Storage classes. */
import type { core, storage } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, follows, forEach, oneOfThese, unchanged } from '../checks.ts'
import { oldNodeLabel } from '../core/node-labels.ts'
import { orDefault } from '../defaulting.ts'
import { ageColumn, nameColumn, orUnset, printer, text } from '../printing.ts'
import { parameters, qualifiedDriver } from './parameters.ts'

const isDefault = ({ metadata }: storage.StorageClass): boolean =>
  ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some((key) => metadata.annotations?.[key] === 'true')

function validate(value: storage.StorageClass, root: Place): void {
  qualifiedDriver(root.at('provisioner'), value.provisioner)
  parameters(root.at('parameters'), value.parameters)
  oneOfThese(root.at('reclaimPolicy'), value.reclaimPolicy, ['Delete', 'Retain'])
  oneOfThese(root.at('volumeBindingMode'), value.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])
  topologies(root.at('allowedTopologies'), value.allowedTopologies)
}

/** Where volumes may be made: places by the values of node labels, none of them twice. */
function topologies(at: Place, list: readonly core.TopologySelectorTerm[] | undefined): void {
  const seen: object[] = []
  forEach(at, list, ({ matchLabelExpressions = [] }, place) => {
    const here = place.at('matchLabelExpressions')
    forEach(here, matchLabelExpressions, ({ key, values }, p) => {
      if (values.length === 0) p.at('values').required()
      distinct(p.at('values'), values, (value) => value)
      follows(p.at('key'), key, qualifiedName)
    })
    distinct(here, matchLabelExpressions, ({ key }) => key, 'key')
    const term = Object.fromEntries(matchLabelExpressions.map(({ key, values }) => [key, values.toSorted()]))
    if (seen.some((other) => deepEqual(other, term))) here.duplicate('')
    seen.push(term)
  })
}

/** What volumes were made by stays: a class says how those that exist came to be. */
function validateUpdate(next: storage.StorageClass, current: storage.StorageClass, root: Place): void {
  validate(next, root)
  for (const name of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
    if (!deepEqual(next[name] ?? {}, current[name] ?? {})) root.at(name).forbidden(`updates to ${name} are forbidden.`)
  }
  unchanged(root.at('volumeBindingMode'), next.volumeBindingMode, current.volumeBindingMode)
}

export const storageclasses: Strategy<storage.StorageClass> = {
  default: (object) => orDefault(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate,
  validateUpdate,
  warnings: ({ allowedTopologies = [] }) => allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) => matchLabelExpressions.flatMap(({ key }, j) =>
    (oldNodeLabel(key) ? [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${oldNodeLabel(key)}`] : []))),
  printer: printer<storage.StorageClass>(
    { ...nameColumn, cell: (o) => `${o.metadata.name ?? ''}${isDefault(o as storage.StorageClass) ? ' (default)' : ''}` },
    text('Provisioner', 'Who makes its volumes.', (o) => o.provisioner),
    text('ReclaimPolicy', 'What becomes of its volumes when their claims are gone.', (o) => o.reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', 'When volumes are made and bound.', (o) => orUnset(o.volumeBindingMode)),
    text('AllowVolumeExpansion', 'Whether its volumes can grow.', (o) => o.allowVolumeExpansion ?? false),
    ageColumn,
  ),
}
