"""What an application holds in its hand: chats, their titles and their end."""
