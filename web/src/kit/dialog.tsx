import { ActionIcon, Modal, type ModalRootProps } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'

/** A dialog with its name above its content. Escape and the cross close it; the focus stays inside and goes back after. */
export function Dialog({
  title,
  bare,
  onClose,
  children,
  ...rest
}: {
  title: string
  /** Only its content: the name is for screen readers. */
  bare?: boolean
  onClose: () => void
  children: ReactNode
} & Pick<ModalRootProps, 'size' | 'yOffset' | 'centered'>) {
  return (
    <Modal.Root opened onClose={onClose} {...rest}>
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        {bare ? (
          children
        ) : (
          <Modal.Body p="md">
            <div className="row" style={{ paddingBottom: '0.75rem' }}>
              <h2 className="grow">{title}</h2>
              <ActionIcon aria-label="Close" onClick={onClose}>
                <IconX size={17} />
              </ActionIcon>
            </div>
            {children}
          </Modal.Body>
        )}
      </Modal.Content>
    </Modal.Root>
  )
}
