import TCPStatesCommands

TCPStates.main()
