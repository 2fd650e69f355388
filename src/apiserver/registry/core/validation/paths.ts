/** Paths in volumes and file systems. */
import type { Path } from '../../../../machinery/field.ts'
import type { Check } from '../../checks.ts'

const climbs = (path: string): boolean => path.split('/').includes('..')

/** Relative, and not above where it starts. */
export function* descendingPath(at: Path, path: string): Check {
  if (path.startsWith('/')) yield at.invalid(path, 'must be a relative path')
  yield* noClimbing(at, path)
}

export function* noClimbing(at: Path, path: string): Check {
  if (climbs(path)) yield at.invalid(path, "must not contain '..'")
}

/** A descending path whose first part does not begin with `..`: such names are the node's own. */
export function* projectedPath(at: Path, path: string): Check {
  yield* descendingPath(at, path)
  if (path.startsWith('..') && !climbs(path)) yield at.invalid(path, "must not start with '..'")
}

export function* absolutePath(at: Path, path: string): Check {
  if (!path.startsWith('/')) yield at.invalid(path, 'must be an absolute path')
}

/** The permission bits of a file. */
export function* fileMode(at: Path, mode: number | undefined): Check {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) yield at.invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}
