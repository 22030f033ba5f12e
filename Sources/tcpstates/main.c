// In C, which is given its arguments; Swift reads its own from /proc, where they are lost if it is not mounted.
int tcpstates_run(int count, char **arguments);

int main(int count, char **arguments) { return tcpstates_run(count, arguments); }
