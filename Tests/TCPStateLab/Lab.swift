/// A laboratory of real kernel sockets in every TCP state.
public enum Lab {}
