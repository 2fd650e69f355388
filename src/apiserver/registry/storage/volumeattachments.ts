/** Volume attachments. */
import type { storage } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { driverName, follows, unchanged, within, type Check } from '../checks.ts'
import { ageColumn, boolean, nameColumn, printer, text } from '../printing.ts'
import { sizeOf } from './parameters.ts'

function* validate({ spec }: storage.VolumeAttachment): Check {
  const at = path('spec')
  yield* driverName(at.at('attacher'), spec.attacher)
  const { inlineVolumeSpec, persistentVolumeName } = spec.source
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) yield at.at('source').required('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
  else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) yield at.at('source').forbidden('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
  else if (persistentVolumeName === '') yield at.at('source').at('persistentVolumeName').required('must specify non empty persistentVolumeName')
  else if (persistentVolumeName !== undefined) yield* follows(at.at('source').at('persistentVolumeName'), persistentVolumeName, dns1123Subdomain)
  yield* follows(at.at('nodeName'), spec.nodeName, dns1123Subdomain)
}

const largestMetadata = 256 * 1024
const longestMessage = 1024

function* status(at: Path, value: storage.VolumeAttachmentStatus): Check {
  if (sizeOf(value.attachmentMetadata) > largestMetadata) yield at.at('attachmentMetadata').tooLong(largestMetadata)
  for (const name of ['attachError', 'detachError'] as const) {
    const error = value[name]
    // The limit that Kubernetes names is the other one.
    if (Buffer.byteLength(error?.message ?? '') > longestMessage) yield at.at(name).at('message').tooLong(largestMetadata)
    yield* within(at.at(name).at('errorCode'), error?.errorCode, 0, 2_147_483_647)
  }
}

export const volumeattachments: Strategy<storage.VolumeAttachment> = {
  counted: false,
  unconditionalUpdate: false,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validate(next), ...unchanged(path('spec'), next.spec, current.spec)],
  validateStatusUpdate: (next) => [...status(path('status'), next.status)],
  printer: printer<storage.VolumeAttachment>(
    nameColumn,
    text('Attacher', 'The driver that attaches the volume.', (o) => o.spec.attacher),
    text('PV', 'The volume.', (o) => o.spec.source.persistentVolumeName ?? ''),
    text('Node', 'The node it is attached to.', (o) => o.spec.nodeName),
    boolean('Attached', 'Whether it is attached.', (o) => o.status.attached),
    ageColumn,
  ),
}
