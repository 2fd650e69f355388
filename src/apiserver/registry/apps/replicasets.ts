/** Replica sets. */
import type { apps } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, unchanged } from '../checks.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { orDefault, within } from '../defaulting.ts'
import { lastingPods, ownSelector, selectedTemplate, unusableSelector } from './template.ts'
import { ageColumn, containersColumn, imagesColumn, integer, nameColumn, printer, selectorColumn } from '../printing.ts'

const replicaSetPrinter = printer<apps.ReplicaSet>(
  nameColumn,
  integer('Desired', 'Pods that are wanted.', (o) => o.spec.replicas ?? 0),
  integer('Current', 'Pods that exist.', (o) => o.status.replicas),
  integer('Ready', 'Pods that are ready.', (o) => o.status.readyReplicas ?? 0),
  ageColumn,
  containersColumn,
  imagesColumn,
  selectorColumn,
)

const withDefaults = (set: apps.ReplicaSet): apps.ReplicaSet => within(set, 'spec', (spec) => {
  const next = orDefault(spec, { replicas: 1 })
  return { ...next, template: podTemplateDefaults(next.template) }
})

function spec(at: Place, value: apps.ReplicaSetSpec): void {
  notNegative(at.at('replicas'), value.replicas)
  notNegative(at.at('minReadySeconds'), value.minReadySeconds)
  ownSelector(at.at('selector'), value.selector, 'deployment')
  unusableSelector(at.at('selector'), value.selector, 'invalid label selector')
  selectedTemplate(at.at('template'), value.template, value.selector)
  lastingPods(at.at('template').at('spec'), value.template.spec, 'ReplicaSet')
}

function validateUpdate(next: apps.ReplicaSet, current: apps.ReplicaSet, root: Place): void {
  const at = root.at('spec')
  spec(at, next.spec)
  unchanged(at.at('selector'), next.spec.selector, current.spec.selector)
}

/** Counts in a status: none negative, none above the number of pods there are. */
function status(at: Place, value: apps.ReplicaSetStatus): void {
  for (const name of ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    notNegative(at.at(name), value[name])
    if (name !== 'replicas' && (value[name] ?? 0) > value.replicas) at.at(name).invalid(value[name] ?? 0, 'cannot be greater than status.replicas')
  }
  for (const name of ['terminatingReplicas', 'observedGeneration'] as const) notNegative(at.at(name), value[name])
  if ((value.availableReplicas ?? 0) > (value.readyReplicas ?? 0)) at.at('availableReplicas').invalid(value.availableReplicas, 'cannot be greater than readyReplicas')
}

export const replicasets: Strategy<apps.ReplicaSet> = {
  default: withDefaults,
  validate: (set, root) => spec(root.at('spec'), set.spec),
  validateUpdate,
  validateStatusUpdate: (next, _current, root) => status(root.at('status'), next.status),
  warnings: (set, current) => templateWarnings(path('spec').at('template'), set, set.spec.template, current, true),
  selectableFields: (set) => ({ 'status.replicas': String(set.status.replicas) }),
  printer: replicaSetPrinter,
}
