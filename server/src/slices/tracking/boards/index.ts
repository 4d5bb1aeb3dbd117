import type { Who } from '#kernel/http/index.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { Tracking } from '../tracking.ts'
import { appendBoard, boardPlace, boardSources, finishBoard } from './append.ts'
import type { BoardFile, BoardPart, BoardSource, BoardTaken } from './model.ts'

/** Log folders whose files are taken in as runs, each byte once. */
export interface Boards {
  /** Files of an experiment, as far as they are in. */
  sources(sql: Sql, workspace: string, experiment: string): Promise<BoardSource[]>
  place(sql: Sql, workspace: string, file: BoardFile): Promise<(BoardTaken & { damage: string | null }) | undefined>
  append(tx: Tx, who: Who, part: BoardPart): Promise<BoardTaken>
  /** Ends the run of a folder of which no more is expected. */
  finish(tx: Tx, who: Who, folder: Pick<BoardFile, 'experiment' | 'folder'>): Promise<void>
}

export const createBoards = (
  tracking: Pick<Tracking, 'createExperiment' | 'createRun' | 'updateRun' | 'logBatch'>,
): Boards => ({
  sources: boardSources,
  place: boardPlace,
  append: (tx, who, part) => appendBoard(tracking, tx, who, part),
  finish: (tx, who, folder) => finishBoard(tracking, tx, who, folder),
})
