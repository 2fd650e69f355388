/** Namespaces. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, validateFinalizer } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { orDefault } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const namespacePrinter = printer<core.Namespace>(
  nameColumn,
  text('Status', 'Active, or Terminating while its contents are being deleted.', (o) => o.status.phase ?? ''),
  ageColumn,
)

const nameLabel = 'kubernetes.io/metadata.name'
const finalizer = 'kubernetes'

/** Every namespace carries its name as a label, so that selectors can find it. */
function labelled(namespace: core.Namespace): core.Namespace {
  const { name, labels } = namespace.metadata
  if (!name || labels?.[nameLabel] === name) return namespace
  return { ...namespace, metadata: { ...namespace.metadata, labels: { ...labels, [nameLabel]: name } } }
}

/** A new namespace is active, and stays until the controller has emptied it. */
function newNamespace(namespace: core.Namespace): core.Namespace {
  const finalizers = namespace.spec.finalizers ?? []
  return {
    ...labelled(namespace),
    spec: { ...namespace.spec, finalizers: finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer] },
    status: { phase: 'Active' },
  }
}

/** A namespace is on its way out exactly when it was deleted. */
function phaseErrors({ metadata, status }: core.Namespace, _current: core.Namespace, root: Place): void {
  const [wanted, when] = metadata.deletionTimestamp ? ['Terminating', 'is not empty'] : ['Active', 'is empty']
  if (status.phase !== wanted) root.at('status').at('Phase').invalid(status.phase ?? '', `may only be '${wanted}' if \`deletionTimestamp\` ${when}`)
}

export const namespaces: Strategy<core.Namespace> = {
  counted: false,
  default: (namespace) => ({ ...labelled(namespace), status: orDefault(namespace.status, { phase: 'Active' }) }),
  prepareForCreate: newNamespace,
  prepareForUpdate: (next, current) => ({ ...next, spec: { ...next.spec, finalizers: current.spec.finalizers } }),
  validate: ({ spec }, root) => {
    const at = root.at('spec').at('finalizers')
    for (const name of spec.finalizers ?? []) validateFinalizer(name, at, at)
  },
  validateUpdate: () => {},
  validateStatusUpdate: phaseErrors,
  validateName: dns1123Label,
  selectableFields: (namespace) => ({ 'status.phase': namespace.status.phase ?? '' }),
  printer: namespacePrinter,
}
