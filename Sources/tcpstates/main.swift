import ArgumentParser
import TCPStatesCommands

TCPStates.main()
